"""The lists of the fake Datadog API: each argument is obeyed or refused by name, and what clients set (tags of hosts, mutes, tag
configurations) is read back. Run by `make e2e-datadog`, with STATWIT naming the binary."""

import json
import re
import time
import unittest
import urllib.parse

from recorder import Recorder

NOW = int(time.time())


class Lists(unittest.TestCase):
    def get(self, path, status=200, **args):
        query = urllib.parse.urlencode(args, doseq=True)
        return self.r.ask("GET", path + ("?" + query if query else ""), status=status)

    def refused(self, part, method, path, body=None, status=400):
        answer = self.r.ask(method, path, body, status=status)
        self.assertIn(part, answer["errors"][0], path)

    def run(self, result=None):
        with Recorder() as self.r:
            return super().run(result)


class Arguments(Lists):
    GOOD = {"/api/v1/query": "from=1&to=2&query=a%7B*%7D", "/api/v1/metrics": "from=1", "/api/v1/search": "",
            "/api/v2/metrics": "", "/api/v2/metrics/a/all-tags": "", "/api/v2/metrics/a/volumes": "", "/api/v2/metrics/a/estimate": "",
            "/api/v2/metrics/a/assets": "", "/api/v2/metrics/a/active-configurations": "", "/api/v1/events": "start=1&end=2",
            "/api/v2/events": "", "/api/v1/hosts": "", "/api/v1/hosts/totals": "", "/api/v1/tags/hosts": "", "/api/v1/tags/hosts/web": "",
            "/api/v1/metrics/a": "", "/api/v1/validate": "api_key=k"}

    def test_unknown_and_repeated_arguments_were_passed_over(self):
        self.r.send("a:1|c|#host:web")
        for path, good in self.GOOD.items():
            self.r.ask("GET", f"{path}?{good}")
            self.r.ask("GET", f"{path}?{good}&application_key=k&test_session_token=default")
            self.refused(f"Unknown query parameter 'nope'; {re.sub('/(a|web)(?=/|$)', '/{', path)[:12]}", "GET", f"{path}?{good}&nope=1")
            self.refused("'application_key' is given twice", "GET", f"{path}?{good}&application_key=a&application_key=b")
        self.refused("takes start, end, priority", "GET", "/api/v1/events?start=1&end=2&%FF=1")
        self.refused("'from' is given twice", "GET", "/api/v1/metrics?from=1&from=2")

    def test_values(self):
        for path, arg, values, part in (
                ("/api/v1/hosts", "count", ("0", "-1", "1001", "x", "1.5", "", str(2 ** 63)), "The value provided for parameter 'count' is invalid"),
                ("/api/v1/hosts", "start", ("-1", "x"), "'start' is invalid"), ("/api/v1/hosts", "sort_dir", ("up", ""), "'sort_dir' is invalid"),
                ("/api/v1/hosts", "sort_field", ("color",), "'sort_field' is invalid"), ("/api/v1/hosts", "include_muted_hosts_data", ("2", ""), "is invalid"),
                ("/api/v1/hosts", "from", ("x", "nan", "inf", str(NOW * 1000), str(NOW + 600)), "'from' is invalid"),
                ("/api/v1/hosts/totals", "from", (str(NOW + 600),), "'from' is invalid"),
                ("/api/v2/metrics", "window[seconds]", ("0", "-5", "2592001"), "a whole number from 1"),
                ("/api/v2/metrics", "filter[metric_type]", ("set",), "one of: gauge count rate"),
                ("/api/v2/metrics", "filter[tags]", ("a AND", "(a", "a)", "a}", "a OR b,c"), "is no filter of tags"),
                ("/api/v2/metrics", "page[size]", (str(2 ** 63), "0"), "a whole number from 1 to 10000"),
                ("/api/v2/metrics", "filter[configured]", ("maybe",), "true or false"),
                ("/api/v2/metrics", "filter[queried]", ("true",), "Unknown query parameter"),
                ("/api/v2/metrics/a/estimate", "filter[num_aggregations]", ("10",), "a whole number from 0 to 9"),
                ("/api/v2/events", "page[limit]", ("0", "1001"), "a whole number from 1 to 1000"), ("/api/v2/events", "sort", ("asc",), "one of: timestamp"),
                ("/api/v1/metrics", "from", ("", "1e12"), "seconds since 1970")):
            for value in values:
                self.refused(part, "GET", path + "?" + urllib.parse.urlencode({arg: value}))
        self.refused("cannot be combined", "GET", "/api/v1/metrics?from=1&host=web&tag_filter=a")

    def test_every_error_is_a_list(self):
        for method, path, status, headers in (("DELETE", "/api/v1/series", 405, {}), ("PUT", "/api/v2/events", 405, {}), ("GET", "/api/v1/series/x", 404, {}),
                                              ("POST", "/api/v1/host/web/mute", 403, {"Origin": "http://evil.example"}), ("GET", "/api/v1/hosts", 403, {"Host": "evil.example"}),
                                              ("GET", "/api/v1/hosts?" + "a&" * 300, 414, {}), ("GET", "/api/v1/hosts", 404, {"X-Datadog-Test-Session-Token": "none"})):
            self.assertEqual(len(self.r.ask(method, path, headers=headers, status=status)["errors"]), 1, path)
        self.assertIn("error", self.r.ask("DELETE", "/recorder/v1/series", status=405))
        self.r.send("a:1|c|#host:web")
        large = self.r.ask("POST", "/api/v1/tags/hosts/web", "x" * (1 << 20) + "x", status=413)
        self.assertIn("larger than 1048576 bytes", large["errors"][0])

    def test_every_byte_in_a_filter_has_an_answer(self):
        for byte in range(256):
            for path in ("/api/v1/hosts?filter=", "/api/v2/metrics?filter[tags]=", "/api/v1/events?start=1&end=2&tags=", "/api/v2/events?filter[query]=",
                         "/api/v1/tags/hosts?source=", "/api/v1/search?q=", "/api/v2/metrics?page[cursor]="):
                status, _, text = self.r.raw("GET", f"{path}a%{byte:02x}b")
                self.assertIn(status, (200, 400, 404), path)
                if status != 200:
                    self.assertIn("errors", json.loads(text))


class Hosts(Lists):
    def names(self, **args):
        return [host["name"] for host in self.get("/api/v1/hosts", **args)["host_list"]]

    def test_paging_did_not_end(self):
        self.r.send(*(f"a:1|c|#host:h{i:03}" for i in range(250)))
        first = self.get("/api/v1/hosts")
        self.assertEqual((first["total_returned"], first["total_matching"]), (100, 250))
        seen, start = [], 0
        while page := self.get("/api/v1/hosts", start=start, count=99)["host_list"]:
            seen += [(host["id"], host["name"]) for host in page]
            start += len(page)
        self.assertEqual(seen, [(i + 1, f"h{i:03}") for i in range(250)])
        self.assertEqual(self.names(sort_dir="desc", count=2, start=1), ["h248", "h247"])
        self.assertEqual(self.get("/api/v1/hosts", start=250)["total_matching"], 250)

    def test_filter_by_name_and_tags(self):
        self.r.send("a:1|c|#host:Web-1,Env:Prod,zone:a", "a:1|c|#host:db,env:dev", "b:1|c|#host:db,team:x")
        self.r.ask("POST", "/api/v1/tags/hosts/db?source=chef", {"tags": ["Role:DB"]}, status=201)
        for filter, expected in (("web", ["Web-1"]), ("host:web", ["Web-1"]), ("env:prod", ["Web-1"]), ("ENV:Prod", ["Web-1"]), ("env:d*", ["db"]),
                                 ("env:", []), ("env:dev,team:x", ["db"]), ("env:dev team:y", []), ("role:db", ["db"]), ("", ["Web-1", "db"])):
            self.assertEqual(self.names(filter=filter), expected, filter)
        tags = {host["name"]: host["tags_by_source"] for host in self.get("/api/v1/hosts")["host_list"]}
        self.assertEqual(tags, {"Web-1": {"Datadog": ["env:prod", "host:Web-1", "zone:a"]},
                                "db": {"Datadog": ["env:dev", "host:db", "team:x"], "chef": ["Role:DB"]}})
        self.refused("more than 64 terms", "GET", "/api/v1/hosts?filter=" + ",".join("a" * 65))

    def test_reported_since(self):
        before = int(time.time())
        self.r.send("a:1|c|#host:web")
        host = self.get("/api/v1/hosts")["host_list"][0]
        self.assertTrue(host["up"] and before <= host["last_reported_time"] <= time.time())
        self.assertEqual(self.names(**{"from": NOW - 60}), ["web"])
        self.assertEqual(self.get("/api/v1/hosts/totals", **{"from": NOW - 60}), {"total_up": 1, "total_active": 1})

    def test_mute(self):
        self.r.send("a:1|c|#host:web", "a:1|c|#host:db")
        muted = lambda: {host["name"]: host["mute_timeout"] for host in self.get("/api/v1/hosts")["host_list"] if host["is_muted"]}
        self.refused("host:web is not muted.", "POST", "/api/v1/host/web/unmute")
        got = self.r.ask("POST", "/api/v1/host/web/mute", {"message": "m", "end": NOW + 600})
        self.assertEqual(got, {"action": "Muted", "hostname": "web", "message": "m", "end": NOW + 600, "downtime_id": got["downtime_id"]})
        self.assertEqual(muted(), {"web": NOW + 600})
        self.refused("host:web is already muted.", "POST", "/api/v1/host/web/mute", {})
        self.r.ask("POST", "/api/v1/host/web/mute?override=true", {"end": NOW + 700})
        self.r.ask("POST", "/api/v1/host/web/mute", {"override": True})
        self.assertEqual(muted(), {"web": None})
        self.assertEqual(self.r.ask("POST", "/api/v1/host/web/unmute")["action"], "Unmuted")
        self.assertEqual(muted(), {})
        self.r.ask("POST", "/api/v1/host/web/mute")
        self.assertEqual(muted(), {"web": None})
        for bad, part in (({"end": "x"}, "'end'"), ({"end": 5}, "in the future"), ({"message": 1}, "'message'"), ({"override": 1}, "'override'"), ("[", "valid JSON")):
            self.refused(part, "POST", "/api/v1/host/db/mute", bad)
        self.get("/api/v1/host/db/mute", status=405)

    def test_sources_of_tags(self):
        path = "/api/v1/tags/hosts/web"
        self.r.send("a:1|c|#host:web")
        self.assertEqual(self.r.ask("GET", "/api/v1/tags/hosts?source=nope", status=404)["errors"], ["Provided source does not exist"])
        self.r.ask("POST", path, {"tags": ["a", "a"]}, status=201)
        self.assertEqual(self.r.ask("PUT", path + "/?source=che%66", {"tags": ["b"]}, status=201), {"host": "web", "tags": ["b"]})
        self.assertEqual(self.get(path)["tags"], ["a", "b"])
        self.assertEqual(self.get(path, source="chef")["tags"], ["b"])
        self.assertEqual(self.r.raw("DELETE", path + "?source=users")[0], 204)
        self.assertEqual(self.get("//api/v1/tags//hosts/we%62")["tags"], ["b"])
        self.refused("must be text", "POST", path + "?source=%FF", {"tags": []})


class Metrics(Lists):
    def setUp(self):
        self.r.send("My-Metric.a b:1|c|#Team:Front End,host:h1", "plain:1|g|#env:dev,host:h2", "plain:2|g|#env:prod,zone:a,host:h3")
        self.r.ask("POST", "/api/v1/distribution_points", {"series": [{"metric": "dist", "points": [[NOW, [1]]], "tags": ["env:dev"]}]}, status=202)

    def ids(self, **args):
        return [item["id"] for item in self.get("/api/v2/metrics", **args)["data"]]

    def test_names_are_normalized(self):
        self.assertEqual(self.ids(), ["My_Metric.a_b", "dist", "plain"])
        self.assertEqual(self.get("/api/v1/metrics", **{"from": 1})["metrics"], ["My_Metric.a_b", "dist", "plain"])
        self.assertEqual(self.get("/api/v1/search", q="metrics:My_")["results"]["metrics"], ["My_Metric.a_b"])
        self.assertEqual(self.get("/api/v2/metrics/My_Metric.a_b/all-tags")["data"]["attributes"]["tags"], ["host:h1", "team:front_end"])
        self.assertEqual(self.get("/api/v1/metrics/My_Metric.a_b")["type"], "rate")
        self.assertEqual([one["name"] for one in self.r.get("series", name="My*")["series"]], ["My-Metric.a b"])

    def test_filters_were_ignored(self):
        for args, expected in (({"filter[tags]": "env:nope"}, []), ({"filter[tags]": "env:dev"}, ["dist", "plain"]), ({"filter[tags]": "env:* AND NOT host:*"}, ["dist"]),
                               ({"filter[tags]": "ENV:Dev,host:h2"}, ["plain"]), ({"filter[tags]": ""}, ["My_Metric.a_b", "dist", "plain"]),
                               ({"filter[metric_type]": "distribution"}, ["dist"]), ({"filter[metric_type]": "non_distribution"}, ["My_Metric.a_b", "plain"]),
                               ({"filter[metric_type]": "rate"}, ["My_Metric.a_b"]), ({"filter[configured]": "true"}, []),
                               ({"filter[configured]": "False"}, ["My_Metric.a_b", "dist", "plain"]), ({"window[seconds]": 3600}, ["My_Metric.a_b", "dist", "plain"]),
                               ({"filter[related_assets]": "true"}, []), ({"filter[is_configurable]": "false"}, []),
                               ({"filter[tags]": "env:dev", "filter[metric_type]": "distribution"}, ["dist"]), ({"filter[related_assets]": "false"}, ["My_Metric.a_b", "dist", "plain"])):
            self.assertEqual(self.ids(**args), expected, args)
        for args, expected in (({"host": "nohost"}, []), ({"host": "h2"}, ["plain"]), ({"tag_filter": "env:nope"}, []), ({"tag_filter": "env:dev"}, ["dist", "plain"])):
            self.assertEqual(self.get("/api/v1/metrics", **{"from": 1} | args)["metrics"], expected, args)
        tags = lambda **args: self.get("/api/v2/metrics/plain/all-tags", **args)["data"]["attributes"]["tags"]
        self.assertEqual(tags(**{"filter[tags]": "env:dev"}), ["env:dev", "host:h2"])
        self.assertEqual(tags(**{"filter[tags]": "env:nope"}), [])
        self.assertEqual(tags(**{"filter[match]": "v:p"}), ["env:prod"])
        self.assertEqual(tags(**{"filter[include_tag_values]": "false"}), ["env", "host", "zone"])
        self.assertEqual(tags(**{"page[limit]": 2}), ["env:dev", "env:prod"])
        self.get("/api/v2/metrics/none/all-tags", status=404, **{"filter[tags]": "env:nope"})

    def test_pages_end_and_say_so(self):
        first = self.get("/api/v2/metrics", **{"page[size]": 2})["meta"]["pagination"]
        self.assertEqual(first, {"cursor": None, "next_cursor": "dist", "limit": 2, "type": "cursor_limit"})
        following = urllib.parse.urlsplit(self.get("/api/v2/metrics", **{"page[size]": 2, "filter[configured]": "false"})["links"]["next"])
        self.assertEqual(self.ids(**dict(urllib.parse.parse_qsl(following.query))), ["plain"])
        last = self.get("/api/v2/metrics", **{"page[size]": 2, "page[cursor]": "plain"})
        self.assertEqual((last["data"], last["meta"]["pagination"]["next_cursor"]), ([], None))

    def test_one_metric(self):
        attributes = lambda what, **args: self.get(f"/api/v2/metrics/plain/{what}", **args)["data"]["attributes"]
        self.assertEqual(attributes("volumes"), {"indexed_volume": 2, "ingested_volume": 2})
        self.assertEqual(attributes("active-configurations"), {"active_tags": [], "active_aggregations": []})
        assets = self.get("/api/v2/metrics/plain/assets")
        self.assertEqual((assets["data"]["id"], assets["data"]["relationships"]["monitors"], assets["included"]), ("plain", {"data": []}, []))
        for args, expected in (({}, 2), ({"filter[groups]": "zone"}, 2), ({"filter[groups]": "nope"}, 1), ({"filter[groups]": "env,zone", "filter[num_aggregations]": 4}, 2),
                               ({"filter[groups]": "host,zone", "filter[exclude_tags_mode]": "true"}, 2), ({"filter[groups]": "host,env,zone", "filter[exclude_tags_mode]": "true"}, 1),
                               ({"filter[hours_ago]": 49, "filter[timespan_h]": 24}, 0)):
            self.assertEqual(attributes("estimate", **args)["estimated_output_series"], expected, args)
        self.assertEqual(attributes("estimate")["estimate_type"], "count_or_gauge")
        got = self.get("/api/v2/metrics/dist/estimate", **{"filter[pct]": "true"})["data"]
        self.assertEqual((got["type"], got["attributes"]["estimate_type"], got["attributes"]["estimated_output_series"]), ("metric_cardinality_estimate", "distribution", 1))
        for what in ("all-tags", "volumes", "assets", "estimate", "active-configurations", "tags"):
            self.refused("none not found", "GET", f"/api/v2/metrics/none/{what}", status=404)

    def test_metadata(self):
        for bad, part in (("{", "request data must be valid JSON"), ({"type": "set"}, "Invalid metric type"), ({"unit": 1}, "Invalid unit"), ({"statsd_interval": "x"}, "statsd_interval")):
            self.refused(part, "PUT", "/api/v1/metrics/plain", bad)
        self.r.ask("PUT", "/api/v1/metrics/plain", {"statsd_interval": 10, "unit": "byte"})
        self.assertEqual(self.get("/api/v1/metrics/plain/")["statsd_interval"], 10)

    def config(self, method, name="plain", status=200, **attributes):
        body = {"data": {"type": "manage_tags", "id": name, "attributes": attributes}}
        return self.r.ask(method, f"/api/v2/metrics/{name}/tags", body, status=status)

    def test_tag_configuration(self):
        path = "/api/v2/metrics/plain/tags"
        self.refused("plain not found", "GET", path, status=404)
        created = self.config("POST", status=201, tags=["env"], metric_type="gauge")["data"]
        self.assertEqual((created["type"], created["id"], created["attributes"]["tags"], created["attributes"]["aggregations"]),
                         ("manage_tags", "plain", ["env"], [{"space": "avg", "time": "avg"}]))
        self.assertRegex(created["attributes"]["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")
        self.assertEqual(self.r.ask("GET", path)["data"], created)
        self.assertIn("already exists", self.config("POST", status=409, tags=[], metric_type="gauge")["errors"][0])
        self.assertEqual(self.get("/api/v2/metrics", **{"filter[configured]": "true"})["data"], [created])
        self.assertEqual(self.ids(**{"filter[tags_configured]": "env"}), ["plain"])
        self.assertEqual(self.ids(**{"filter[tags_configured]": "env,zone"}), [])
        self.assertEqual(self.get("/api/v2/metrics/plain/all-tags")["data"]["attributes"]["tags"], ["env:dev", "env:prod"])
        updated = self.config("PATCH", tags=["zone"])["data"]["attributes"]
        self.assertEqual((updated["tags"], updated["metric_type"], updated["created_at"]), (["zone"], "gauge", created["attributes"]["created_at"]))
        self.config("PATCH", exclude_tags_mode=True)
        self.assertEqual(self.get("/api/v2/metrics/plain/all-tags")["data"]["attributes"]["tags"], ["env:dev", "env:prod", "host:h2", "host:h3"])
        self.assertEqual(self.r.raw("DELETE", path)[0], 204)
        for method in ("GET", "DELETE"):
            self.refused("plain not found", method, path, status=404)
        self.config("PATCH", status=404, tags=[])
        self.config("POST", name="dist", status=201, tags=[], metric_type="distribution", include_percentiles=True)
        self.assertEqual(self.ids(**{"filter[include_percentiles]": "true"}), ["dist"])
        self.assertEqual(self.ids(**{"filter[include_percentiles]": "false"}), [])

    def test_bad_tag_configurations(self):
        for body, part in (("{", "valid JSON"), ({}, "data.type"), ({"data": {"type": "manage_tags", "id": "x"}}, "data.id"),
                           ({"data": {"type": "manage_tags", "id": "plain"}}, "data.attributes must be")):
            self.refused(part, "POST", "/api/v2/metrics/plain/tags", body)
        for attributes in ({}, {"tags": "a"}, {"tags": [1]}, {"tags": []}, {"tags": [], "metric_type": "set"}, {"tags": [], "metric_type": "gauge", "aggregations": 1},
                           {"tags": [], "metric_type": "gauge", "include_percentiles": 1}, {"tags": [], "metric_type": "gauge", "include_percentiles": True}):
            self.assertIn("Invalid payload", self.config("POST", status=400, **attributes)["errors"][0], attributes)
        self.assertEqual(self.ids(**{"filter[configured]": "true"}), [])

    def test_bulk_tags(self):
        path, bulk = "/api/v2/metrics/config/bulk-tags", {"type": "metric_bulk_configure_tags", "id": "p"}
        got = self.r.ask("POST", path, {"data": bulk | {"attributes": {"tags": ["env"], "emails": ["a@b.c"]}}}, status=202)["data"]
        self.assertEqual(got, bulk | {"attributes": {"tags": ["env"], "emails": ["a@b.c"], "status": "Accepted", "exclude_tags_mode": None,
                                                     "override_existing_configurations": True, "include_actively_queried_tags_window": None}})
        self.assertEqual(self.get("/api/v2/metrics/plain/tags")["data"]["attributes"]["metric_type"], "gauge")
        self.r.send("pages:1|c")  # came after the configuration
        self.assertEqual(self.ids(**{"filter[configured]": "true"}), ["plain"])
        self.r.ask("POST", path, {"data": bulk | {"attributes": {"tags": ["zone"], "override_existing_configurations": False}}}, status=202)
        tags = lambda name: self.get(f"/api/v2/metrics/{name}/tags")["data"]["attributes"]["tags"]
        self.assertEqual((tags("plain"), tags("pages")), (["env"], ["zone"]))
        self.r.ask("DELETE", path, {"data": bulk}, status=202)
        self.assertEqual(self.ids(**{"filter[configured]": "true"}), [])
        for data, part in (({}, "data.type"), (bulk | {"id": ""}, "data.id"), (bulk | {"attributes": {"tags": "x"}}, "lists of strings"),
                           (bulk | {"attributes": {"include_actively_queried_tags_window": 60}}, "cannot be obeyed")):
            self.refused(part, "POST", path, {"data": data})


class EventsV2(Lists):
    def titles(self, **args):
        return [event["attributes"]["attributes"]["title"] for event in self.get("/api/v2/events", **args)["data"]]

    def setUp(self):
        for title, more in (("one", {"tags": ["env:dev", "Team:Front End"], "priority": "low", "source_type_name": "jenkins", "date_happened": NOW - 300}),
                            ("Deploy two", {"text": "rolled back, sadly", "alert_type": "error", "host": "web", "date_happened": NOW - 200}),
                            ("three", {"aggregation_key": "Key", "date_happened": NOW - 100}), ("old", {"date_happened": NOW - 7200})):
            self.r.ask("POST", "/api/v1/events", {"title": title, "text": "x"} | more, status=202)

    def test_list(self):
        self.assertEqual(self.titles(), ["three", "Deploy two", "one"])
        self.assertEqual(self.titles(sort="timestamp"), ["one", "Deploy two", "three"])
        self.assertEqual(self.titles(**{"filter[from]": "now-1d"}), ["three", "Deploy two", "one", "old"])
        iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW - 150))
        for at in (iso + "Z", iso + ".000+00:00", (NOW - 150) * 1000):
            self.assertEqual(self.titles(**{"filter[to]": at}), ["Deploy two", "one"], at)
        one = self.get("/api/v2/events", **{"filter[query]": "one"})["data"][0]
        self.assertEqual((one["type"], one["attributes"]["tags"], one["attributes"]["message"]), ("event", ["env:dev", "Team:Front End", "source:jenkins"], "x"))
        self.assertEqual((one["attributes"]["attributes"]["timestamp"], one["attributes"]["attributes"]["priority"]), ((NOW - 300) * 1000, "low"))
        self.assertEqual(self.get("/api/v2/events/" + one["id"])["data"], one)
        self.get("/api/v2/events/nope", status=404)

    def test_what_was_posted_is_found(self):
        body = {"data": {"type": "event", "attributes": {"title": "posted", "category": "change", "attributes": {"changed_resource": {"name": "n", "type": "feature_flag"}}}}}
        link = self.r.ask("POST", "/api/v2/events", body, status=202)["links"]["self"]
        self.assertEqual(self.get(urllib.parse.urlsplit(link).path)["data"]["attributes"]["attributes"]["title"], "posted")

    def test_queries(self):
        for query, expected in (("*", ["three", "Deploy two", "one"]), ("deploy", ["Deploy two"]), ("DEPLOY two", ["Deploy two"]), ("depl", []), ("depl*", ["Deploy two"]),
                                ('"rolled back"', ["Deploy two"]), ('"back rolled"', []), ("source:jenkins", ["one"]), ("source:(chef OR jenkins)", ["one"]),
                                ("env:dev", ["one"]), ("env:d*", ["one"]), ("team:front_end", ["one"]), ('team:"Front End"', ["one"]), ("tags:env\\:dev", ["one"]),
                                ("-env:dev", ["three", "Deploy two"]), ("NOT env:dev AND NOT three", ["Deploy two"]), ("one OR three", ["three", "one"]),
                                ("(one OR three) -three", ["one"]), ("status:error", ["Deploy two"]), ("status:info priority:low", ["one"]), ("host:WEB", ["Deploy two"]),
                                ("@aggregation_key:key", ["three"]), ("@title:two", ["Deploy two"]), ("nope", [])):
            self.assertEqual(self.titles(**{"filter[query]": query}), expected, query)

    def test_search_pages(self):
        seen, cursor = [], None
        while True:
            page = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            got = self.r.ask("POST", "/api/v2/events/search", {"filter": {"from": "now-15m", "to": "now"}, "options": {"timezone": "GMT"}, "page": page, "sort": "timestamp"})
            seen += [event["attributes"]["attributes"]["title"] for event in got["data"]]
            if not got["data"]:
                break
            cursor = got["meta"]["page"]["after"]
            following = urllib.parse.urlsplit(got["links"]["next"])
            self.assertEqual(len(self.r.ask("GET", following.path + "?" + following.query)["data"]), 1 if len(seen) < 3 else 0)
        self.assertEqual(got, {"data": []})
        self.assertEqual(seen, ["one", "Deploy two", "three"])

    def test_refused(self):
        for query, part in (("a AND", "expected a word at position 5"), ("(a", "expected ')'"), ("a)", "expected a word"), ('"a', "closing quote"), ("env:", "expected a word"),
                            ("@http.status_code:[200 TO 299]", "no such attribute"), ("size:>3", "no ranges"), ("(" * 10000, "at most 64 levels"),
                            (" ".join("a" * 513), "at most 512 words")):
            self.refused(part, "GET", "/api/v2/events?" + urllib.parse.urlencode({"filter[query]": query}))
        for body, part in (({"page": {"cursor": "eyJ"}}, "Field 'page' is invalid: invalid cursor"), ({"page": {"limit": 0}}, "limit must be"), ({"sort": "up"}, "expected timestamp"),
                           ({"filter": {"from": "yesterday"}}, "filter.from"), ({"filter": {"to": "now-"}}, "filter.to"), ({"filter": {"from": "now", "to": "now-1h"}}, "lies after"),
                           ({"filter": "x"}, "filter"), ({"filter": {"query": 1}}, "query"), ({"filtre": {}}, "not known"), ("[]", "valid JSON")):
            self.refused(part, "POST", "/api/v2/events/search", body)
        for at in ("now-99999999999999999999d", "now-1y", "2026-13-01T00:00:00Z", "-1", str(2 ** 63), "now-1h30m"):
            self.refused("filter.from", "GET", "/api/v2/events?" + urllib.parse.urlencode({"filter[from]": at}))


class Agent(Lists):
    def test_info_names_the_proxies_and_the_port(self):
        info = self.get("/info")
        self.assertEqual(info["endpoints"], ["/dogstatsd/v1/proxy", "/dogstatsd/v2/proxy"])
        self.assertEqual(str(info["config"]["statsd_port"]), self.r.ready["env"]["DD_DOGSTATSD_PORT"])
        for path in info["endpoints"]:
            self.assertEqual(self.r.raw("POST", path, "lines:1|c")[0], 200)
        self.assertEqual(self.r.get("series")["series"][0]["samples"], 2)


if __name__ == "__main__":
    unittest.main()
