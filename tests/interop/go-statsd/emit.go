package main

import (
	"os"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// udp: as it comes (aggregated on the client), uds: every sample by itself
func main() {
	addresses := map[string]string{
		"udp": os.Getenv("DD_AGENT_HOST") + ":" + os.Getenv("DD_DOGSTATSD_PORT"),
		"uds": "unix://" + os.Getenv("UNIXGRAM"),
	}
	for name, address := range addresses {
		options := []statsd.Option{statsd.WithTags([]string{"lang:go"}), statsd.WithoutTelemetry()}
		if name == "uds" {
			options = append(options, statsd.WithoutClientSideAggregation())
		}
		client, err := statsd.New(address, options...)
		must(err)
		must(client.Count(name+".count", 2, []string{"a:1"}, 1))
		must(client.Incr(name+".count", []string{"a:1"}, 1))
		must(client.Gauge(name+".gauge", 1, nil, 1))
		must(client.Gauge(name+".gauge", 1.5, nil, 1))
		must(client.Histogram(name+".histogram", 7, nil, 1))
		must(client.Distribution(name+".distribution", 3, nil, 1))
		must(client.Timing(name+".timing", 12*time.Millisecond, nil, 1))
		must(client.Set(name+".set", "member", nil, 1))
		must(client.Event(&statsd.Event{Title: name + " title", Text: "go text", Tags: []string{"e"}}))
		must(client.ServiceCheck(&statsd.ServiceCheck{Name: name + ".check", Status: statsd.Warn}))
		must(client.Flush())
		must(client.Close())
	}
}
