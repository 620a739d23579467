    /** The low-level client of 9, which can sniff. */
    static ElasticsearchTransport connect(String url, boolean squeezed, boolean sniffs) throws Exception {
        var low = co.elastic.clients.transport.rest5_client.low_level.Rest5Client.builder(java.net.URI.create(url)).setCompressionEnabled(squeezed).build();
        if (sniffs) {
            var nodes = new co.elastic.clients.transport.rest5_client.low_level.sniffer.ElasticsearchNodesSniffer(low).sniff();
            low.setNodes(nodes);
        }
        return new co.elastic.clients.transport.rest5_client.Rest5ClientTransport(low, new JacksonJsonpMapper());
    }
