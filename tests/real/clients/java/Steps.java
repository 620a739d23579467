import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.query_dsl.Query;
import co.elastic.clients.elasticsearch.core.SearchResponse;
import co.elastic.clients.elasticsearch.core.search.Hit;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.elasticsearch._types.Refresh;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** What the official Java client makes of one address: Steps.java URL [sniff]. Prints one JSON object. */
public class Steps {
    static final String INDEX = "clients";
    static final Query QUERY = Query.of(q -> q.match(m -> m.field("title").query("snow")));

// CONNECT

    public static void main(String[] arguments) throws Exception {
        boolean sniffs = arguments.length > 1;
        var seen = new LinkedHashMap<String, Object>();
        try (var transport = connect(arguments[0], false, sniffs); var squeezing = connect(arguments[0], true, false)) {
            var client = new ElasticsearchClient(transport);
            writes(client, seen);
            searches(client, seen);
            seen.put("search_gzip", answer(search(new ElasticsearchClient(squeezing), 0, 50)));
            seen.put("missing", fault(() -> client.search(s -> s.index("nope"), Map.class)));
            seen.put("refused", fault(() -> client.search(s -> s.index(INDEX).query(QUERY).from(-5), Map.class)));
        }
        System.out.println(new ObjectMapper().writeValueAsString(seen));
    }

    static void writes(ElasticsearchClient client, Map<String, Object> seen) throws Exception {
        seen.put("info", client.info().version().number());
        seen.put("exists", List.of(client.indices().exists(e -> e.index(INDEX)).value(), client.indices().exists(e -> e.index("nope")).value()));
        seen.put("index", client.index(i -> i.index(INDEX).id("one").document(Map.of("title", "written snow")).refresh(Refresh.True)).id());
        seen.put("get", client.get(g -> g.index(INDEX).id("one"), Map.class).source());
        var told = client.bulk(b -> {
            for (int place = 0; place < 5; place++) {
                int number = place;
                b.operations(o -> o.index(i -> i.index(INDEX).id("b" + number).document(Map.of("title", "bulk " + number))));
            }
            return b.refresh(Refresh.True);
        });
        seen.put("bulk", List.of(told.items().size(), told.errors()));
        var deleted = new ArrayList<String>();
        for (int place = 0; place < 5; place++) {
            int number = place;
            deleted.add(client.delete(d -> d.index(INDEX).id("b" + number).refresh(Refresh.True)).result().jsonValue());
        }
        seen.put("delete", deleted);
        seen.put("count", client.count(c -> c.index(INDEX).query(QUERY)).count());
    }

    static void searches(ElasticsearchClient client, Map<String, Object> seen) throws Exception {
        var counted = client.search(s -> s.index(INDEX).size(0).aggregations("k", a -> a.terms(t -> t.field("kind"))), Map.class);
        seen.put("aggregation", buckets(counted));
        var sorted = client.search(s -> s.index(INDEX).query(QUERY).size(5).sort(o -> o.field(f -> f.field("n"))), Map.class);
        seen.put("sorted", sorted.hits().hits().stream().map(hit -> hit.id() + hit.sort().get(0).longValue() + hit.score()).toList());
        var found = search(client, 0, 50);
        seen.put("search", answer(found));
        seen.put("search_buckets", buckets(found));
        seen.put("order", ids(found));
        seen.put("pages", ids(search(client, 5, 5)).equals(ids(found).subList(5, 10)));
        boolean falling = true;
        for (int place = 1; place < found.hits().hits().size(); place++) {
            falling = falling && found.hits().hits().get(place).score() <= found.hits().hits().get(place - 1).score();
        }
        seen.put("scores", List.of(falling, found.hits().maxScore().equals(found.hits().hits().get(0).score())));
        seen.put("search_uri", answer(client.search(s -> s.index(INDEX).q("snow").size(50), Map.class)));
        var many = client.msearch(m -> m
            .searches(r -> r.header(h -> h.index(INDEX)).body(b -> b.query(QUERY).size(3)))
            .searches(r -> r.header(h -> h.index("nope")).body(b -> b.size(1))), Map.class).responses();
        seen.put("msearch", List.of(many.get(0).result().hits().total().value(), many.get(1).failure().status()));
        var all = new ArrayList<String>();
        var page = client.search(s -> s.index(INDEX).query(QUERY).size(15).scroll(t -> t.time("1m")), Map.class);
        all.addAll(page.hits().hits().stream().map(Hit::id).toList());
        String scroll = page.scrollId();
        while (true) {
            String id = scroll;
            var next = client.scroll(s -> s.scrollId(id).scroll(t -> t.time("1m")), Map.class);
            if (next.hits().hits().isEmpty()) break;
            all.addAll(next.hits().hits().stream().map(Hit::id).toList());
            scroll = next.scrollId();
        }
        seen.put("scroll", all.stream().sorted().toList());
    }

    static SearchResponse<Map> search(ElasticsearchClient client, int from, int size) throws Exception {
        return client.search(s -> s.index(INDEX).query(QUERY).from(from).size(size).aggregations("k", a -> a.terms(t -> t.field("kind"))), Map.class);
    }

    static List<String> ids(SearchResponse<Map> found) {
        return found.hits().hits().stream().map(Hit::id).toList();
    }

    /** What was decoded, in the shape that the other clients print. */
    static Map<String, Object> answer(SearchResponse<Map> found) {
        var hits = found.hits().hits().stream().map(hit -> Map.of("_id", hit.id(), "_index", hit.index(), "_source", hit.source(), "_score", hit.score())).toList();
        return Map.of("hits", Map.of("total", found.hits().total().value(), "hits", hits), "shards", found.shards().successful().intValue(), "timed_out", found.timedOut());
    }

    static List<Object> buckets(SearchResponse<Map> found) {
        var list = new ArrayList<Object>();
        for (var bucket : found.aggregations().get("k").sterms().buckets().array()) list.add(bucket.key().stringValue() + "=" + bucket.docCount());
        return list;
    }

    static Object fault(Callable<?> asked) throws Exception {
        try {
            asked.call();
            return "no error";
        } catch (ElasticsearchException error) {
            return List.of(error.status(), error.error().type());
        }
    }
}
