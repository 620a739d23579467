"""Our own calls to Elasticsearch, with our own login: doctor, init, demo. Plain JSON over elastic_transport."""
