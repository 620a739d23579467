//! What the official Rust client makes of one address: steps URL. Prints one JSON object.
use elasticsearch::http::request::JsonBody;
use elasticsearch::http::response::Response;
use elasticsearch::http::transport::{SingleNodeConnectionPool, TransportBuilder};
use elasticsearch::indices::IndicesExistsParts;
use elasticsearch::params::Refresh;
use elasticsearch::{
    BulkParts, CountParts, DeleteParts, Elasticsearch, GetParts, IndexParts, MsearchParts, ScrollParts, SearchParts,
};
use serde_json::{json, Map, Value};

type Fault = Box<dyn std::error::Error>;
const INDEX: &str = "clients";

fn connect(url: &str, squeezed: bool) -> Result<Elasticsearch, Fault> {
    let pool = SingleNodeConnectionPool::new(url::Url::parse(url)?);
    Ok(Elasticsearch::new(TransportBuilder::new(pool).request_body_compression(squeezed).build()?))
}

async fn decoded(response: Response) -> Result<Value, Fault> {
    let mut found = response.json::<Value>().await?;
    if let Some(object) = found.as_object_mut() {
        object.remove("took");
    }
    Ok(found)
}

async fn search(client: &Elasticsearch, body: Value) -> Result<Value, Fault> {
    decoded(client.search(SearchParts::Index(&[INDEX])).body(body).send().await?).await
}

fn ids(found: &Value) -> Vec<String> {
    found["hits"]["hits"].as_array().unwrap().iter().map(|hit| hit["_id"].as_str().unwrap().to_string()).collect()
}

async fn fault(response: Response) -> Result<Value, Fault> {
    let status = response.status_code().as_u16();
    Ok(json!([status, decoded(response).await?["error"]["type"]]))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let url = std::env::args().nth(1).unwrap();
    let client = connect(&url, false)?;
    let query = json!({"match": {"title": "snow"}});
    let mut seen = Map::new();
    seen.insert("info".into(), decoded(client.info().send().await?).await?["version"]["number"].clone());
    let mut exists = vec![];
    for name in [INDEX, "nope"] {
        exists.push(client.indices().exists(IndicesExistsParts::Index(&[name])).send().await?.status_code().is_success());
    }
    seen.insert("exists".into(), json!(exists));
    let written = client.index(IndexParts::IndexId(INDEX, "one")).refresh(Refresh::True).body(json!({"title": "written snow"}));
    seen.insert("index".into(), decoded(written.send().await?).await?["_id"].clone());
    seen.insert("get".into(), decoded(client.get(GetParts::IndexId(INDEX, "one")).send().await?).await?["_source"].clone());
    let mut lines: Vec<JsonBody<Value>> = vec![];
    for place in 0..5 {
        lines.push(json!({"index": {"_id": format!("b{place}")}}).into());
        lines.push(json!({"title": format!("bulk {place}")}).into());
    }
    let told = decoded(client.bulk(BulkParts::Index(INDEX)).refresh(Refresh::True).body(lines).send().await?).await?;
    seen.insert("bulk".into(), json!([told["items"].as_array().unwrap().len(), told["errors"]]));
    let mut deleted = vec![];
    for place in 0..5 {
        let id = format!("b{place}");
        let gone = client.delete(DeleteParts::IndexId(INDEX, &id)).refresh(Refresh::True).send().await?;
        deleted.push(decoded(gone).await?["result"].clone());
    }
    seen.insert("delete".into(), json!(deleted));
    let counted = client.count(CountParts::Index(&[INDEX])).body(json!({"query": query})).send().await?;
    seen.insert("count".into(), decoded(counted).await?["count"].clone());
    let aggs = json!({"k": {"terms": {"field": "kind"}}});
    let buckets = client.search(SearchParts::Index(&[INDEX])).typed_keys(true).body(json!({"size": 0, "aggs": aggs}));
    seen.insert("aggregation".into(), decoded(buckets.send().await?).await?);
    seen.insert("sorted".into(), search(&client, json!({"query": query, "size": 5, "sort": ["n"]})).await?);
    let found = search(&client, json!({"query": query, "size": 50, "aggs": aggs})).await?;
    let page = search(&client, json!({"query": query, "size": 5, "from": 5})).await?;
    seen.insert("pages".into(), json!(ids(&page) == ids(&found)[5..10]));
    seen.insert("order".into(), json!(ids(&found)));
    seen.insert("search".into(), found);
    seen.insert("search_uri".into(), decoded(client.search(SearchParts::Index(&[INDEX])).q("snow").size(50).send().await?).await?);
    let squeezed = connect(&url, true)?;
    seen.insert("search_gzip".into(), search(&squeezed, json!({"query": query, "size": 50})).await?);
    let items: Vec<JsonBody<Value>> = vec![
        json!({"index": INDEX}).into(), json!({"query": query, "size": 3}).into(),
        json!({"index": "nope"}).into(), json!({"size": 1}).into(),
    ];
    let many = decoded(client.msearch(MsearchParts::None).body(items).send().await?).await?;
    seen.insert("msearch".into(), json!([many["responses"][0]["hits"]["total"], many["responses"][1]["status"]]));
    let mut all: Vec<String> = vec![];
    let begun = client.search(SearchParts::Index(&[INDEX])).scroll("1m").body(json!({"query": query, "size": 15}));
    let mut part = decoded(begun.send().await?).await?;
    while !ids(&part).is_empty() {
        all.extend(ids(&part));
        let next = json!({"scroll": "1m", "scroll_id": part["_scroll_id"]});
        part = decoded(client.scroll(ScrollParts::None).body(next).send().await?).await?;
    }
    all.sort();
    seen.insert("scroll".into(), json!(all));
    seen.insert("missing".into(), fault(client.search(SearchParts::Index(&["nope"])).send().await?).await?);
    let refused = client.search(SearchParts::Index(&[INDEX])).body(json!({"query": {"nonsense": {}}}));
    seen.insert("refused".into(), fault(refused.send().await?).await?);
    println!("{}", Value::Object(seen));
    Ok(())
}
