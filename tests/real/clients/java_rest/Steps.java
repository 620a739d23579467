import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.http.HttpHost;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.bulk.BulkRequest;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.get.GetRequest;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.search.MultiSearchRequest;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchResponse;
import org.elasticsearch.action.search.SearchScrollRequest;
import org.elasticsearch.action.support.WriteRequest.RefreshPolicy;
import org.elasticsearch.client.RequestOptions;
import org.elasticsearch.client.RestClient;
import org.elasticsearch.client.RestHighLevelClient;
import org.elasticsearch.client.core.CountRequest;
import org.elasticsearch.client.indices.GetIndexRequest;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.unit.TimeValue;
import org.elasticsearch.common.xcontent.XContentFactory;
import org.elasticsearch.index.query.QueryBuilders;
import org.elasticsearch.search.SearchHit;
import org.elasticsearch.search.aggregations.AggregationBuilders;
import org.elasticsearch.search.aggregations.bucket.terms.Terms;
import org.elasticsearch.search.builder.SearchSourceBuilder;

/** What the high-level REST client makes of one address: Steps.java URL. Prints one JSON object. */
public class Steps {
    static final String INDEX = "clients";
    static final RequestOptions PLAIN = RequestOptions.DEFAULT;

    public static void main(String[] arguments) throws Exception {
        var seen = new LinkedHashMap<String, Object>();
        var low = RestClient.builder(HttpHost.create(arguments[0]));
        var squeezing = RestClient.builder(HttpHost.create(arguments[0])).setCompressionEnabled(true);
        try (var client = new RestHighLevelClient(low); var squeezed = new RestHighLevelClient(squeezing)) {
            writes(client, seen);
            searches(client, seen);
            seen.put("search_gzip", answer(search(squeezed, source(0, 50))));
            seen.put("missing", fault(() -> client.search(new SearchRequest("nope"), PLAIN)));
            seen.put("refused", fault(() -> search(client, source(0, 5).query(QueryBuilders.wrapperQuery("{\"nonsense\":{}}")))));
        }
        var json = XContentFactory.jsonBuilder();
        System.out.println(Strings.toString(json.map(seen)));
    }

    static SearchSourceBuilder source(int from, int size) {
        return new SearchSourceBuilder().query(QueryBuilders.matchQuery("title", "snow")).from(from).size(size)
            .aggregation(AggregationBuilders.terms("k").field("kind"));
    }

    static SearchResponse search(RestHighLevelClient client, SearchSourceBuilder source) throws Exception {
        return client.search(new SearchRequest(new String[] {INDEX}, source), PLAIN);
    }

    static void writes(RestHighLevelClient client, Map<String, Object> seen) throws Exception {
        seen.put("info", client.info(PLAIN).getVersion().getNumber());
        seen.put("exists", List.of(client.indices().exists(new GetIndexRequest(INDEX), PLAIN), client.indices().exists(new GetIndexRequest("nope"), PLAIN)));
        seen.put("index", client.index(new IndexRequest(INDEX).id("one").source(Map.of("title", "written snow")).setRefreshPolicy(RefreshPolicy.IMMEDIATE), PLAIN).getId());
        seen.put("get", client.get(new GetRequest(INDEX, "one"), PLAIN).getSourceAsMap());
        var bulk = new BulkRequest().setRefreshPolicy(RefreshPolicy.IMMEDIATE);
        for (int place = 0; place < 5; place++) bulk.add(new IndexRequest(INDEX).id("b" + place).source(Map.of("title", "bulk " + place)));
        var told = client.bulk(bulk, PLAIN);
        seen.put("bulk", List.of(told.getItems().length, told.hasFailures()));
        var deleted = new ArrayList<String>();
        for (int place = 0; place < 5; place++) {
            deleted.add(client.delete(new DeleteRequest(INDEX, "b" + place).setRefreshPolicy(RefreshPolicy.IMMEDIATE), PLAIN).getResult().getLowercase());
        }
        seen.put("delete", deleted);
        seen.put("count", client.count(new CountRequest(new String[] {INDEX}, QueryBuilders.matchQuery("title", "snow")), PLAIN).getCount());
    }

    static void searches(RestHighLevelClient client, Map<String, Object> seen) throws Exception {
        seen.put("aggregation", buckets(search(client, source(0, 0).query(QueryBuilders.matchAllQuery()))));
        var sorted = new ArrayList<String>();
        for (SearchHit hit : search(client, source(0, 5).sort("n")).getHits()) sorted.add(hit.getId() + hit.getSortValues()[0] + hit.getScore());
        seen.put("sorted", sorted);
        var found = search(client, source(0, 50));
        seen.put("search", answer(found));
        seen.put("search_buckets", buckets(found));
        seen.put("order", ids(found));
        seen.put("pages", ids(search(client, source(5, 5))).equals(ids(found).subList(5, 10)));
        boolean falling = true;
        float last = found.getHits().getMaxScore();
        for (SearchHit hit : found.getHits()) {
            falling = falling && hit.getScore() <= last;
            last = hit.getScore();
        }
        seen.put("scores", List.of(falling, found.getHits().getMaxScore() == found.getHits().getAt(0).getScore()));
        var many = new MultiSearchRequest().add(new SearchRequest(new String[] {INDEX}, source(0, 3))).add(new SearchRequest("nope"));
        var items = client.msearch(many, PLAIN).getResponses();
        seen.put("msearch", List.of(items[0].getResponse().getHits().getTotalHits().value, items[1].isFailure()));
        var all = new ArrayList<String>();
        var minute = TimeValue.timeValueMinutes(1);
        var page = client.search(new SearchRequest(new String[] {INDEX}, source(0, 15)).scroll(minute), PLAIN);
        while (page.getHits().getHits().length > 0) {
            all.addAll(ids(page));
            page = client.scroll(new SearchScrollRequest(page.getScrollId()).scroll(minute), PLAIN);
        }
        seen.put("scroll", all.stream().sorted().toList());
    }

    static List<String> ids(SearchResponse found) {
        var names = new ArrayList<String>();
        for (SearchHit hit : found.getHits()) names.add(hit.getId());
        return names;
    }

    /** What was decoded, in the shape that the other clients print. */
    static Map<String, Object> answer(SearchResponse found) {
        var hits = new ArrayList<Object>();
        for (SearchHit hit : found.getHits()) hits.add(Map.of("_id", hit.getId(), "_index", hit.getIndex(), "_source", hit.getSourceAsMap(), "_score", hit.getScore()));
        return Map.of("hits", Map.of("total", found.getHits().getTotalHits().value, "hits", hits), "shards", found.getSuccessfulShards(), "timed_out", found.isTimedOut());
    }

    static List<Object> buckets(SearchResponse found) {
        var list = new ArrayList<Object>();
        for (var bucket : ((Terms) found.getAggregations().get("k")).getBuckets()) list.add(bucket.getKeyAsString() + "=" + bucket.getDocCount());
        return list;
    }

    static Object fault(Callable<?> asked) throws Exception {
        try {
            asked.call();
            return "no error";
        } catch (ElasticsearchStatusException error) {
            return List.of(error.status().getStatus(), error.getClass().getSimpleName());
        }
    }
}
