package main

import (
	"context"
	"os"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
)

func main() {
	configuration := datadog.NewConfiguration()
	configuration.Servers = datadog.ServerConfigurations{{URL: os.Getenv("STATWIT_URL")}}
	ctx := context.WithValue(context.Background(), datadog.ContextAPIKeys,
		map[string]datadog.APIKey{"apiKeyAuth": {Key: os.Getenv("DD_API_KEY")}, "appKeyAuth": {Key: "app"}})
	api := datadogV2.NewMetricsApi(datadog.NewAPIClient(configuration))
	encodings := []datadogV2.MetricContentEncoding{datadogV2.METRICCONTENTENCODING_GZIP,
		datadogV2.METRICCONTENTENCODING_DEFLATE, datadogV2.METRICCONTENTENCODING_ZSTD1}
	for _, encoding := range encodings {
		body := datadogV2.MetricPayload{Series: []datadogV2.MetricSeries{{
			Metric: "v2.count",
			Type:   datadogV2.METRICINTAKETYPE_COUNT.Ptr(),
			Points: []datadogV2.MetricPoint{{Timestamp: datadog.PtrInt64(time.Now().Unix()), Value: datadog.PtrFloat64(3)}},
			Tags:   []string{string(encoding)},
		}}}
		options := datadogV2.NewSubmitMetricsOptionalParameters().WithContentEncoding(encoding)
		answer, _, err := api.SubmitMetrics(ctx, body, *options)
		if err != nil {
			panic(err)
		}
		if len(answer.Errors) > 0 {
			panic(answer.Errors)
		}
	}
	names, _, err := api.ListTagConfigurations(ctx)
	if err != nil {
		panic(err)
	}
	if len(names.Data) != 1 {
		panic("one metric was sent")
	}
}
