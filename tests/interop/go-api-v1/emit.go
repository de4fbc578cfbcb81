package main

import (
	"context"
	"os"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
)

func main() {
	configuration := datadog.NewConfiguration()
	configuration.Servers = datadog.ServerConfigurations{{URL: os.Getenv("STATWIT_URL")}}
	ctx := context.WithValue(context.Background(), datadog.ContextAPIKeys,
		map[string]datadog.APIKey{"apiKeyAuth": {Key: os.Getenv("DD_API_KEY")}, "appKeyAuth": {Key: "app"}})
	api := datadogV1.NewMetricsApi(datadog.NewAPIClient(configuration))
	now := float64(time.Now().Unix())
	encodings := []datadogV1.MetricContentEncoding{datadogV1.METRICCONTENTENCODING_GZIP, datadogV1.METRICCONTENTENCODING_DEFLATE}
	for _, encoding := range encodings {
		series := datadogV1.MetricsPayload{Series: []datadogV1.Series{{
			Metric: "v1.count",
			Type:   datadog.PtrString("count"),
			Points: [][]*float64{{datadog.PtrFloat64(now), datadog.PtrFloat64(3)}},
			Tags:   []string{string(encoding)},
		}}}
		answer, _, err := api.SubmitMetrics(ctx, series, *datadogV1.NewSubmitMetricsOptionalParameters().WithContentEncoding(encoding))
		if err != nil {
			panic(err)
		}
		if answer.GetStatus() != "ok" {
			panic(answer)
		}
	}
	points := datadogV1.DistributionPointsPayload{Series: []datadogV1.DistributionPointsSeries{{
		Metric: "v1.distribution",
		Points: [][]datadogV1.DistributionPointItem{{
			{DistributionPointTimestamp: datadog.PtrFloat64(now)}, {DistributionPointData: &[]float64{1, 2.5}},
		}},
		Tags: []string{"a:1"},
	}}}
	if _, _, err := api.SubmitDistributionPoints(ctx, points); err != nil {
		panic(err)
	}
	answer, _, err := api.QueryMetrics(ctx, int64(now)-60, int64(now)+60, "sum:v1.count{*}.as_count()")
	if err != nil {
		panic(err)
	}
	if len(answer.Series) != 1 {
		panic("one series was asked for")
	}
}
