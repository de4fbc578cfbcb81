use dogstatsd::{Client, Options, ServiceStatus};

fn main() {
    let to = format!("{}:{}", std::env::var("DD_AGENT_HOST").unwrap(), std::env::var("DD_DOGSTATSD_PORT").unwrap());
    let client = Client::new(Options::new("127.0.0.1:0", &to, "rs", vec!["lang:rs".to_string()], None, None)).unwrap();
    client.incr("count", &["a:1"]).unwrap();
    client.decr("count", &["a:1"]).unwrap();
    client.gauge("gauge", "1.5", &["b"]).unwrap();
    client.timing("timing", 12, &["b"]).unwrap();
    client.histogram("histogram", "7", &["b"]).unwrap();
    client.distribution("distribution", "3", &["b"]).unwrap();
    client.set("set", "member", &["b"]).unwrap();
    client.event("rs title", "rs text", &["e"]).unwrap();
    client.service_check("check", ServiceStatus::OK, &["c"], None).unwrap();
}
