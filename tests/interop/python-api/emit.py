import os
import time

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.events_api import EventsApi
from datadog_api_client.v1.api.metrics_api import MetricsApi as MetricsApiV1
from datadog_api_client.v1.api.service_checks_api import ServiceChecksApi
from datadog_api_client.v1.model.distribution_point import DistributionPoint
from datadog_api_client.v1.model.distribution_points_payload import DistributionPointsPayload
from datadog_api_client.v1.model.distribution_points_series import DistributionPointsSeries
from datadog_api_client.v1.model.event_create_request import EventCreateRequest
from datadog_api_client.v1.model.metrics_payload import MetricsPayload
from datadog_api_client.v1.model.point import Point
from datadog_api_client.v1.model.series import Series
from datadog_api_client.v1.model.service_check import ServiceCheck
from datadog_api_client.v1.model.service_check_status import ServiceCheckStatus
from datadog_api_client.v1.model.service_checks import ServiceChecks
from datadog_api_client.v2.api.metrics_api import MetricsApi
from datadog_api_client.v2.model.metric_content_encoding import MetricContentEncoding
from datadog_api_client.v2.model.metric_intake_type import MetricIntakeType
from datadog_api_client.v2.model.metric_payload import MetricPayload
from datadog_api_client.v2.model.metric_point import MetricPoint
from datadog_api_client.v2.model.metric_resource import MetricResource
from datadog_api_client.v2.model.metric_series import MetricSeries

now = int(time.time())
configuration = Configuration(host=os.environ["STATWIT_URL"], api_key={"apiKeyAuth": os.environ["DD_API_KEY"], "appKeyAuth": "app"})
with ApiClient(configuration) as client:
    assert AuthenticationApi(client).validate().valid
    v1, v2 = MetricsApiV1(client), MetricsApi(client)
    v1.submit_metrics(body=MetricsPayload(series=[Series(metric="v1.gauge", type="gauge", points=[Point([float(now), 1.5])], tags=["a:1"])]))
    v1.submit_distribution_points(
        body=DistributionPointsPayload(series=[DistributionPointsSeries(metric="v1.distribution", points=[DistributionPoint([float(now), [1.0, 2.0]])])])
    )
    for encoding in ("gzip", "deflate"):
        series = MetricSeries(
            metric="v2." + encoding,
            type=MetricIntakeType.COUNT,
            points=[MetricPoint(timestamp=now, value=3.0)],
            resources=[MetricResource(name="h1", type="host")],
            tags=["b:2"],
        )
        assert not v2.submit_metrics(content_encoding=MetricContentEncoding(encoding), body=MetricPayload(series=[series])).errors
    ServiceChecksApi(client).submit_service_check(
        body=ServiceChecks([ServiceCheck(check="v1.check", host_name="h1", status=ServiceCheckStatus.CRITICAL, tags=["c"])])
    )
    event = EventsApi(client).create_event(body=EventCreateRequest(title="v1 title", text="v1 text", tags=["e"])).event
    assert EventsApi(client).get_event(event_id=int(event.id_str)).event.title == "v1 title"
    assert v1.query_metrics(_from=now - 60, to=now + 1, query="sum:v2.gzip{host:h1}.as_count()").series[0].pointlist[0].value[1] == 3.0
    assert len(v2.list_tag_configurations().data) == 4
