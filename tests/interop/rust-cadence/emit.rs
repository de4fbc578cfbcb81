use cadence::prelude::*;
use cadence::{StatsdClient, UdpMetricSink};
use std::net::UdpSocket;

fn main() {
    let port: u16 = std::env::var("DD_DOGSTATSD_PORT").unwrap().parse().unwrap();
    let host = std::env::var("DD_AGENT_HOST").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sink = UdpMetricSink::from((host.as_str(), port), socket).unwrap();
    let client = StatsdClient::from_sink("rs", sink);
    client.count_with_tags("count", 2).with_tag("a", "1").with_tag_value("b").try_send().unwrap();
    client.gauge("gauge", 1.5).unwrap();
    client.time("timing", 12u64).unwrap();
    client.histogram("histogram", 7u64).unwrap();
    client.distribution("distribution", 3u64).unwrap();
    client.set("set", 42i64).unwrap();
}
