// What the official Go client makes of one address, raw and typed: steps URL [sniff]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/elastic/go-elasticsearch/v9"
	"github.com/elastic/go-elasticsearch/v9/esapi"
	"github.com/elastic/go-elasticsearch/v9/esutil"
	"github.com/elastic/go-elasticsearch/v9/typedapi/core/search"
	"github.com/elastic/go-elasticsearch/v9/typedapi/types"
)

const index = "clients"
const query = `{"match":{"title":"snow"}}`

type object = map[string]any

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func decoded(response *esapi.Response, err error) object {
	must(err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	must(err)
	found := object{}
	must(json.Unmarshal(data, &found))
	delete(found, "took")
	return found
}

func path(found any, keys ...string) any {
	for _, key := range keys {
		found = found.(object)[key]
	}
	return found
}

func hits(found object) []any { return path(found, "hits", "hits").([]any) }

func ids(found object) []string {
	names := []string{}
	for _, hit := range hits(found) {
		names = append(names, path(hit, "_id").(string))
	}
	return names
}

func main() {
	url := os.Args[1]
	config := elasticsearch.Config{Addresses: []string{url}}
	client, err := elasticsearch.NewClient(config)
	must(err)
	if len(os.Args) > 2 {
		must(client.DiscoverNodes())
	}
	asked := func(body string, more ...func(*esapi.SearchRequest)) object {
		options := append([]func(*esapi.SearchRequest){client.Search.WithIndex(index), client.Search.WithBody(strings.NewReader(body))}, more...)
		return decoded(client.Search(options...))
	}
	seen := object{}
	seen["info"] = path(decoded(client.Info()), "version", "number")
	exists := []bool{}
	for _, name := range []string{index, "nope"} {
		told, err := client.Indices.Exists([]string{name})
		must(err)
		exists = append(exists, !told.IsError())
	}
	seen["exists"] = exists
	seen["index"] = decoded(client.Index(index, strings.NewReader(`{"title":"written snow"}`), client.Index.WithDocumentID("one"), client.Index.WithRefresh("true")))["_id"]
	seen["get"] = decoded(client.Get(index, "one"))["_source"]
	bulk(client, seen)
	seen["count"] = decoded(client.Count(client.Count.WithIndex(index), client.Count.WithBody(strings.NewReader(`{"query":`+query+`}`))))["count"]
	seen["aggregation"] = asked(`{"size":0,"aggs":{"k":{"terms":{"field":"kind"}}}}`, func(request *esapi.SearchRequest) { yes := true; request.TypedKeys = &yes })
	seen["sorted"] = asked(`{"query":` + query + `,"size":5,"sort":["n"]}`)
	found := asked(`{"query":` + query + `,"size":50,"aggs":{"k":{"terms":{"field":"kind"}}}}`)
	seen["search"], seen["order"] = found, ids(found)
	page := asked(`{"query":` + query + `,"size":5,"from":5}`)
	seen["pages"] = reflect.DeepEqual(ids(page), ids(found)[5:10])
	seen["search_uri"] = decoded(client.Search(client.Search.WithIndex(index), client.Search.WithQuery("snow"), client.Search.WithSize(50)))
	many := decoded(client.Msearch(strings.NewReader(`{"index":"clients"}` + "\n" + `{"query":` + query + `,"size":3}` + "\n" + `{"index":"nope"}` + "\n" + `{"size":1}` + "\n")))["responses"].([]any)
	seen["msearch"] = []any{path(many[0], "hits", "total"), path(many[1], "status")}
	scroll(client, seen)
	seen["missing"] = fault(client.Search(client.Search.WithIndex("nope")))
	seen["refused"] = fault(client.Search(client.Search.WithIndex(index), client.Search.WithBody(strings.NewReader(`{"query":{"nonsense":{}}}`))))
	squeezed, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{url}, CompressRequestBody: true})
	must(err)
	seen["search_gzip"] = decoded(squeezed.Search(squeezed.Search.WithIndex(index), squeezed.Search.WithBody(strings.NewReader(`{"query":`+query+`,"size":50}`))))
	typed(config, seen, ids(found))
	told, err := json.Marshal(seen)
	must(err)
	fmt.Println(string(told))
}

func bulk(client *elasticsearch.Client, seen object) {
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, Index: index, Refresh: "true", NumWorkers: 1})
	must(err)
	for place := range 5 {
		body := bytes.NewReader([]byte(fmt.Sprintf(`{"title":"bulk %d"}`, place)))
		must(indexer.Add(context.Background(), esutil.BulkIndexerItem{Action: "index", DocumentID: fmt.Sprintf("b%d", place), Body: body}))
	}
	must(indexer.Close(context.Background()))
	seen["bulk"] = []any{indexer.Stats().NumFlushed, indexer.Stats().NumFailed}
	deleted := []any{}
	for place := range 5 {
		deleted = append(deleted, decoded(client.Delete(index, fmt.Sprintf("b%d", place), client.Delete.WithRefresh("true")))["result"])
	}
	seen["delete"] = deleted
}

func scroll(client *elasticsearch.Client, seen object) {
	all := []string{}
	found := decoded(client.Search(client.Search.WithIndex(index), client.Search.WithBody(strings.NewReader(`{"query":`+query+`,"size":15}`)), client.Search.WithScroll(60_000_000_000)))
	for len(hits(found)) > 0 {
		all = append(all, ids(found)...)
		found = decoded(client.Scroll(client.Scroll.WithScrollID(found["_scroll_id"].(string)), client.Scroll.WithScroll(60_000_000_000)))
	}
	sort.Strings(all)
	seen["scroll"] = all
}

func fault(response *esapi.Response, err error) any {
	must(err)
	status := response.StatusCode
	return []any{status, path(decoded(response, nil), "error", "type")}
}

// typed decodes a reranked answer into the generated types, whose decoder walks into keys that it does not know.
func typed(config elasticsearch.Config, seen object, order []string) {
	client, err := elasticsearch.NewTypedClient(config)
	must(err)
	size, field := 50, "kind"
	asked := &search.Request{
		Query:        &types.Query{Match: map[string]types.MatchQuery{"title": {Query: "snow"}}},
		Size:         &size,
		Aggregations: map[string]types.Aggregations{"k": {Terms: &types.TermsAggregation{Field: &field}}},
	}
	found, err := client.Search().Index(index).Request(asked).Do(context.Background())
	must(err)
	names, last := []string{}, types.Float64(0)
	falling := true
	for place, hit := range found.Hits.Hits {
		names = append(names, *hit.Id_)
		falling = falling && hit.Score_ != nil && (place == 0 || *hit.Score_ <= last)
		last = *hit.Score_
	}
	buckets := found.Aggregations["k"].(*types.StringTermsAggregate).Buckets.([]types.StringTermsBucket)
	seen["typed"] = []any{reflect.DeepEqual(names, order), falling, len(buckets), found.Hits.Total.Value, *found.Hits.MaxScore == *found.Hits.Hits[0].Score_}
	_, err = client.Search().Index("nope").Do(context.Background())
	fault, is := err.(*types.ElasticsearchError)
	seen["typed_missing"] = []any{is, is && fault.Status == 404}
}
