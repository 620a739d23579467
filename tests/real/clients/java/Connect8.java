    /** The low-level client of 8. */
    static ElasticsearchTransport connect(String url, boolean squeezed, boolean sniffs) {
        var low = org.elasticsearch.client.RestClient.builder(org.apache.http.HttpHost.create(url)).setCompressionEnabled(squeezed).build();
        return new co.elastic.clients.transport.rest_client.RestClientTransport(low, new JacksonJsonpMapper());
    }
