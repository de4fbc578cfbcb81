"""What reads of the fake Datadog API answer: hosts and their tags, events, names, queries; and what they say of parameters
that make no sense. Run by `make e2e-datadog`, with STATWIT naming the binary."""

import json
import time
import unittest
import urllib.parse

from recorder import Recorder

NOW = int(time.time()) // 60 * 60


class Reads(unittest.TestCase):
    FLAGS = ()

    def get(self, path, status=200, **args):
        query = urllib.parse.urlencode(args, doseq=True)
        return self.r.ask("GET", path + ("?" + query if query else ""), status=status)

    def refused(self, part, method, path, body=None, **args):
        query = urllib.parse.urlencode(args, doseq=True)
        answer = self.r.ask(method, path + ("?" + query if query else ""), body, status=400)
        self.assertIn(part, answer["errors"][0])

    def run(self, result=None):
        with Recorder(*self.FLAGS) as self.r:
            return super().run(result)


class Hosts(Reads):
    def test_lists_and_totals(self):
        self.assertEqual(self.get("/api/v1/hosts")["host_list"], [])
        self.r.send("a:1|c|#host:web-1,env:ci", "a:1|c|#host:db,env:ci", "a:1|c|#env:prod", "b:1|g|#host:web-1")
        got = self.get("/api/v1/hosts")
        self.assertEqual([host["name"] for host in got["host_list"]], ["db", "web-1"])
        self.assertEqual((got["total_returned"], got["total_matching"]), (2, 2))
        self.assertEqual(got["host_list"][1]["aliases"], ["web-1"])
        for part in ("web", "host:web"):
            self.assertEqual([host["name"] for host in self.get("/api/v1/hosts", filter=part)["host_list"]], ["web-1"])
        self.assertEqual(self.get("/api/v1/hosts", filter="none")["total_matching"], 0)
        self.assertEqual(self.get("/api/v1/hosts/totals"), {"total_up": 2, "total_active": 2})

    def test_tags_that_were_sent(self):
        self.r.send("a:1|c|#host:web,env:ci", "b:1|c|#host:db,env:ci,x", "c:1|c|#host:web,env:ci,long:" + "x" * 300,
                    "d:1|c|#alone")
        self.r.ask("POST", "/api/v1/tags/hosts/db", {"tags": ["set"]}, status=201)
        self.assertEqual(self.get("/api/v1/tags/hosts")["tags"], {"env:ci": ["db", "web"], "x": ["db"], "set": ["db"],
                                                                  "long:" + "x" * 195: ["web"]})
        self.assertEqual(self.get("/api/v1/tags/hosts", source="users")["tags"], {"set": ["db"]})
        self.assertEqual(self.get("/api/v1/tags/hosts/db")["tags"], ["env:ci", "set", "x"])

    def test_tags_that_are_set(self):
        path = "/api/v1/tags/hosts/web"
        for method in ("GET", "POST", "PUT", "DELETE"):
            self.assertIn("No host matches", self.r.ask(method, path, {}, status=404)["errors"][0])
        self.r.send("a:1|c|#host:web", "_sc|ok|0|h:db", "_e{1,1}:t|x|h:mail")
        self.assertEqual(self.get("/api/v1/tags/hosts/mail")["tags"], [])
        self.assertEqual(self.get(path), {"tags": []})
        self.assertEqual(self.r.ask("POST", path, {"tags": ["a:1"]}, status=201), {"host": "web", "tags": ["a:1"]})
        self.assertEqual(self.r.ask("POST", path, {"tags": ["b"]}, status=201)["tags"], ["a:1", "b"])
        self.assertEqual(self.get(path)["tags"], ["a:1", "b"])
        self.assertEqual(self.get("/api/v1/tags/hosts/db")["tags"], [])
        self.assertEqual(self.r.ask("PUT", path, {"tags": ["c"]}, status=201)["tags"], ["c"])
        for bad in ({"tags": "d"}, {}, {"tags": [1]}):
            self.refused("The body must be", "POST", path, bad)
        for bad in ("{", json.dumps([])):
            self.refused("must be valid JSON", "POST", path, bad)
        self.assertEqual(self.get(path)["tags"], ["c"])  # what was refused changes nothing
        self.assertEqual(self.r.raw("DELETE", path)[0], 204)
        self.assertEqual(self.get(path)["tags"], [])


class Events(Reads):
    def titles(self, **args):
        events = self.get("/api/v1/events", **{"start": NOW - 3600, "end": NOW + 3600} | args)["events"]
        return [event["title"] for event in events]

    def test_filters(self):
        self.assertEqual(self.titles(), [])
        for title, more in (("one", {"tags": ["a", "b:1"], "priority": "low", "source_type_name": "jenkins"}),
                            ("two", {"tags": ["a"], "source_type_name": "chef"}), ("three", {"host": "web"})):
            self.r.ask("POST", "/api/v1/events", {"title": title, "text": "x", "date_happened": NOW, **more}, status=202)
        self.r.send(f"_e{{4,1}}:late|x|d:{NOW + 7200}")
        self.assertEqual(self.titles(), ["three", "two", "one"])  # the newest first
        self.assertEqual(self.titles(end=NOW + 10000), ["late", "three", "two", "one"])
        self.assertEqual(self.titles(start=NOW + 1), [])
        self.assertEqual(self.titles(priority="low"), ["one"])
        self.assertEqual(self.titles(priority="normal"), ["three", "two"])
        self.assertEqual(self.titles(sources="chef,jenkins"), ["two", "one"])
        self.assertEqual(self.titles(sources="puppet"), [])
        self.assertEqual(self.titles(tags="a"), ["two", "one"])
        self.assertEqual(self.titles(tags="a,b:1"), ["one"])
        self.assertEqual(self.titles(tags="b"), [])
        self.assertEqual(self.titles(page=1), [])

    def test_an_empty_word_is_none(self):
        self.r.ask("POST", "/api/v1/events", {"title": "t", "text": "x", "alert_type": "", "priority": "", "host": ""}, status=202)
        got = self.get("/api/v1/events", start=0, end=NOW + 3600)["events"][0]
        self.assertEqual((got["alert_type"], got["priority"], got["host"]), ("info", "normal", None))

    def test_one(self):
        sent = self.r.ask("POST", "/api/v1/events", {"title": "t", "text": "x", "tags": ["a"]}, status=202)
        self.r.send("_e{5,1}:other|x")
        listed = self.get("/api/v1/events", start=0, end=NOW + 3600)["events"][1]
        got = self.get(f"/api/v1/events/{sent['event']['id']}")["event"]
        self.assertEqual(got, listed)
        self.assertEqual((got["title"], got["text"], got["tags"], got["priority"], got["alert_type"]),
                         ("t", "x", ["a", "source:my_apps"], "normal", "info"))
        self.assertIn("No event matches", self.get("/api/v1/events/12345", status=404)["errors"][0])
        for bad in ("0", "-1", "x", "9" * 30):
            self.refused("Invalid event id", "GET", "/api/v1/events/" + bad)

    def test_parameters(self):
        for args in ({}, {"start": 1}, {"end": 1}):
            self.refused("' is required", "GET", "/api/v1/events", **args)
        for args in ({"start": "now", "end": 1}, {"start": 1, "end": "inf"}, {"start": NOW * 1000, "end": NOW * 1000}):
            self.refused("is invalid: it must be seconds since 1970", "GET", "/api/v1/events", **args)
        self.refused("start param must be greater than end param", "GET", "/api/v1/events", start=2, end=1)
        for page in ("x", "-1", "1000001"):
            self.refused("'page' is invalid: it must be a whole number", "GET", "/api/v1/events", start=1, end=2, page=page)


class Names(Reads):
    def setUp(self):
        self.r.send("http.hits:1|c|#env:ci,route:/a", "http.time:1|d|#env:ci,host:web", "db.size:1|g|#env:prod")

    def test_lists(self):
        self.assertEqual(self.get("/api/v1/metrics", **{"from": NOW - 60})["metrics"], ["db.size", "http.hits", "http.time"])
        self.assertEqual(self.get("/api/v1/metrics", **{"from": NOW + 3600})["metrics"], [])
        self.refused("'from' is required", "GET", "/api/v1/metrics")
        self.refused("'from' is invalid: it must be seconds", "GET", "/api/v1/metrics", **{"from": "yesterday"})

    def test_search(self):
        search = lambda q: self.get("/api/v1/search", q=q)["results"]
        self.assertEqual(search("metrics:http"), {"metrics": ["http.hits", "http.time"], "hosts": []})
        self.assertEqual(search("hosts:we"), {"metrics": [], "hosts": ["web"]})
        self.assertEqual(search("b"), {"metrics": ["db.size"], "hosts": ["web"]})
        self.assertEqual(search("metrics:"), {"metrics": ["db.size", "http.hits", "http.time"], "hosts": []})

    def test_pages(self):
        ids = lambda answer: [entry["id"] for entry in answer["data"]]
        self.assertEqual(ids(self.get("/api/v2/metrics")), ["db.size", "http.hits", "http.time"])
        first = self.get("/api/v2/metrics", **{"page[size]": 2})
        cursor = first["meta"]["pagination"]["next_cursor"]
        self.assertEqual((ids(first), cursor), (["db.size", "http.hits"], "http.hits"))
        second = self.get("/api/v2/metrics", **{"page[size]": 2, "page[cursor]": cursor})
        self.assertEqual((ids(second), second["meta"]["pagination"]["next_cursor"]), (["http.time"], None))
        # a name that has gone since: what follows it, not everything again
        self.assertEqual(ids(self.get("/api/v2/metrics", **{"page[cursor]": "e"})), ["http.hits", "http.time"])
        self.assertEqual(ids(self.get("/api/v2/metrics", **{"page[cursor]": "z"})), [])
        for size in ("0", "10001", "x"):
            self.refused("page[size]' is invalid: it must be a whole number", "GET", "/api/v2/metrics", **{"page[size]": size})

    def test_one(self):
        got = self.get("/api/v2/metrics/http.hits/all-tags")["data"]
        self.assertEqual((got["id"], got["attributes"]["tags"]), ("http.hits", ["env:ci", "route:/a"]))
        self.assertEqual(self.get("/api/v2/metrics/http.hits/volumes")["data"]["type"], "metric_volumes")
        for path in ("all-tags", "volumes"):
            self.assertIn("not found", self.get(f"/api/v2/metrics/none/{path}", status=404)["errors"][0])
        self.assertEqual(self.get("/api/v1/metrics/http.time")["type"], "distribution")
        self.get("/api/v1/metrics/none", status=404)
        self.r.ask("PUT", "/api/v1/metrics/http.hits", {"description": "d"})
        self.assertEqual(self.r.ask("PUT", "/api/v1/metrics/http.hits", {"unit": "hit"})["description"], "d")
        self.assertEqual(self.get("/api/v1/metrics/http.hits")["unit"], "hit")

    def test_keys(self):
        for path in ("/api/v1/validate", "/api/v2/validate", "/api/v2/validate_keys"):
            self.assertEqual(self.r.raw("GET", path, headers={"DD-API-KEY": "k"})[0], 200, path)
            self.assertEqual(self.r.raw("GET", path, headers={"DD-API-KEY": None})[0], 403, path)


class Queries(Reads):
    def setUp(self):
        points = lambda *values: [[NOW - 120 + 60 * i, value] for i, value in enumerate(values)]
        self.r.ask("POST", "/api/v1/series", {"series": [
            {"metric": "hits", "type": "count", "points": points(10, 20, 30), "tags": ["env:ci", "route:a"], "host": "web"},
            {"metric": "hits", "type": "count", "points": points(1, 2, 3), "tags": ["env:ci", "route:b"]},
            {"metric": "hits", "type": "count", "points": points(5), "tags": ["env:prod"]},
            {"metric": "size", "type": "gauge", "points": points(4, 8), "device": "sda", "unit": "byte"}]}, status=202)

    def v1(self, query, **more):
        return self.get("/api/v1/query", **{"from": NOW - 120, "to": NOW + 60, "query": query} | more)["series"]

    def points(self, query):
        """By group: the values at -120, -60 and 0 seconds."""
        return {",".join(one["tag_set"]): [value for _, value in one["pointlist"]] for one in self.v1(query)}

    def test_the_language(self):
        for query, expected in (
                ("sum:hits{*}.rollup(sum, 60)", {"": [16, 22, 33]}),
                ("sum:hits{env:ci}.rollup(sum, 60)", {"": [11, 22, 33]}),
                ("sum:hits{env:ci,!route:b}.rollup(60)", {"": [10, 20, 30]}),
                ("hits{env:ci}.rollup(60)", {"": [5.5, 11, 16.5]}),
                ("sum:hits{!env:c*}.rollup(sum,60)", {"": [5]}),
                ("sum:hits{host:web}.rollup(sum, 60)", {"": [10, 20, 30]}),
                ("avg:hits{env:ci}.rollup(sum, 60)", {"": [5.5, 11, 16.5]}),
                ("min:hits{env:ci}.rollup(sum, 60)", {"": [1, 2, 3]}),
                ("max:hits{env:ci}.rollup(sum, 60)", {"": [10, 20, 30]}),
                ("count:hits{env:ci}.rollup(count, 60)", {"": [2, 2, 2]}),
                ("sum:hits{env:ci} by {route}.rollup(sum, 60)", {"route:a": [10, 20, 30], "route:b": [1, 2, 3]}),
                ("sum:hits{*} by {env,host}.rollup(sum, 60)",
                 {"env:ci,host:web": [10, 20, 30], "env:ci": [1, 2, 3], "env:prod": [5]}),
                ("sum:hits{env:prod}.as_count().rollup(sum, 60)", {"": [5]}),
                ("sum:hits{env:prod}.as_rate().rollup(sum, 60)", {"": [5 / 60]}),
                ("avg:size{device:sd*} by {device}.rollup(max, 60).fill(zero)", {"device:sda": [4, 8, 0, 0]}),
                ("avg:size{*}.rollup(avg, 600000)", {"": [6]}),
                ("avg:none{*}", {})):
            self.assertEqual(self.points(query), expected, query)
        both = self.v1(" sum:hits{env:ci,route:a}.rollup(sum, 60), avg:size{*}.rollup(60)")
        self.assertEqual([(one["query_index"], one["metric"], one["scope"]) for one in both],
                         [(0, "hits", "env:ci,route:a"), (1, "size", "*")])
        self.assertEqual(both[1]["unit"], [{"family": "bytes", "name": "byte", "short_name": "B", "plural": "bytes", "scale_factor": 1}, None])

    def test_units(self):
        """Each of its family; of one that Datadog does not know, and of what no source tells, nothing is made up."""
        for i, (unit, expected) in enumerate((("minute", {"family": "time", "short_name": "min", "plural": "minutes", "scale_factor": 60}),
                               ("percent", {"family": "percentage", "short_name": "%"}), ("request", {"family": "network", "short_name": "req"}),
                               ("time", {"family": "general"}), ("week", {"family": "time", "short_name": "wk", "plural": "weeks", "scale_factor": 604800}),
                               ("bit", {"family": "bytes", "short_name": "b"}), ("req", {}), ("minut", {}), ('a "b"', {}))):
            name = f"unit.{i}"
            self.r.ask("POST", "/api/v1/series", {"series": [{"metric": name, "type": "gauge", "points": [[NOW - 60, 1]], "unit": unit}]}, status=202)
            self.assertEqual(self.v1("avg:%s{*}" % name)[0]["unit"], [{"name": unit} | expected, None])

    def test_values_are_put_together_at_once(self):
        """Those of distributions and timings: an average of averages would be another. Rates stand for rate times interval."""
        self.r.ask("POST", "/api/v1/distribution_points", {"series": [
            {"metric": "lat", "points": [[NOW - 60, [1, 3]]], "tags": ["route:a"]},
            {"metric": "lat", "points": [[NOW - 60, [5]]], "tags": ["route:b"]}]}, status=202)
        self.r.ask("POST", "/api/v1/series", {"series": [
            {"metric": "speed", "type": "rate", "interval": 10, "points": [[NOW - 60, 2]]}]}, status=202)
        for query, expected in (
                ("avg:lat{*}.rollup(60)", {"": [3]}), ("sum:lat{*}.rollup(60)", {"": [9]}), ("min:lat{*}.rollup(60)", {"": [1]}),
                ("max:lat{*}.rollup(60)", {"": [5]}), ("count:lat{*}.rollup(60)", {"": [3]}), ("p50:lat{*}.rollup(60)", {"": [3]}), ("p99:lat{*}.rollup(60)", {"": [5]}),
                ("avg:lat{*} by {route}.rollup(60)", {"route:a": [2], "route:b": [5]}),
                ("sum:speed{*}.rollup(60)", {"": [2]}), ("sum:speed{*}.rollup(60).as_count()", {"": [20]}),
                ("sum:speed{*}.rollup(60).as_rate()", {"": [20 / 60]}),
                ("avg:users{*}", {})):
            got = self.v1(query, **{"from": NOW - 3600, "to": NOW + 3600})
            self.assertEqual({",".join(one["tag_set"]): [value for _, value in one["pointlist"]] for one in got}, expected, query)

    def test_words_of_an_answer(self):
        for query, metric, expression, scope, aggr in (
                ("sum:hits{route:a,env:ci}", "hits", "sum:hits{env:ci,route:a}", "env:ci,route:a", "sum"),
                ("hits{ route:a , env:ci }by{host}.as_count()", "hits", "hits{env:ci,host:web,route:a}.as_count()", "env:ci,host:web,route:a", None),
                ("avg:hits{route:a OR host:web}", "hits", "avg:hits{route:a OR host:web}", "route:a OR host:web", "avg"),
                ("100 - (sum:hits{*} / max:size{*})", "(100 - (hits / size))", "(100 - (sum:hits{*} / max:size{*}))", "*", None),
                ("abs(clamp_min(sum:hits{*}, 2.5))", "abs(clamp_min(hits))", "abs(clamp_min(sum:hits{*}, 2.5))", "*", "sum"),
                ("top(max:size{*} by {device}, 5, 'mean', 'desc')", "size", "top(max:size{device:sda}, 5, 'mean', 'desc')", "device:sda", "max")):
            one = self.v1(query)[0]
            self.assertEqual((one["metric"], one["display_name"], one["expression"], one["scope"], one["aggr"]),
                             (metric, metric, expression, scope, aggr), query)

    def test_count_is_averaged_and_rate_divides_by_the_interval(self):
        at = NOW - 60
        self.r.ask("POST", "/api/v1/series", {"series": [
            {"metric": "c", "type": "count", "interval": 10, "points": [[at + 10 * i, 15] for i in range(6)]}]}, status=202)
        for query, interval, expected in (("sum:c{*}.as_rate()", 10, [1.5] * 6), ("sum:c{*}", 10, [15] * 6), ("sum:c{*}.rollup(60)", 60, [15]),
                                          ("sum:c{*}.as_count().rollup(60)", 60, [90]), ("sum:c{*}.as_rate().rollup(60)", 60, [1.5]),
                                          ("sum:c{*}.rollup(5)", 10, [15] * 6)):
            one = self.v1(query)[0]
            self.assertEqual((one["interval"], [value for _, value in one["pointlist"]]), (interval, expected), query)

    def test_last_point_of_a_time_holds(self):
        for value in (7, 8):
            self.r.ask("POST", "/api/v1/series", {"series": [{"metric": "c", "type": "count", "points": [[NOW, value], [NOW - 9, 1]]}]}, status=202)
        self.assertEqual(self.points("sum:c{*}.as_count().rollup(600000)"), {"": [9]})

    def test_names_and_tags_are_normalized(self):
        self.r.ask("POST", "/api/v1/series", {"series": [
            {"metric": "My-Metric.a b", "points": [[NOW, 1]], "tags": ["Team:Front End"], "host": "Web-1"}]}, status=202)
        for query in ("avg:My_Metric.a_b{team:front_end}", "avg:My_Metric.a_b{TEAM:Front*}", "avg:My_Metric.a_b{host:Web-1} by {Team}"):
            self.assertEqual(len(self.v1(query)), 1, query)
        self.assertEqual(self.points("avg:My_Metric.a_b{*} by {team,host}"), {"team:front_end,host:Web-1": [1]})

    def test_each_spelling_has_its_own_interval(self):
        at = (NOW - 60) // 60 * 60
        for kind, first, query in (("rate", "R-a", "sum:R_a{*}.as_rate().rollup(60)"), ("rate", "R_b", "sum:R_b{*}.as_rate().rollup(60)"),
                                   ("gauge", "G-a", "sum:G_a{*}.weighted().rollup(60)"), ("gauge", "G_b", "sum:G_b{*}.weighted().rollup(60)")):
            other = first.translate({ord("-"): "_", ord("_"): "-"})
            for name, interval, value in ((first, 20, 3), (other, 10, 2)):
                self.r.ask("POST", "/api/v1/series", {"series": [
                    {"metric": name, "type": kind, "interval": interval, "points": [[at + interval, value]]}]}, status=202)
            self.assertEqual(self.points(query), {"": [80 / 60]}, query)
        for first, other in (("C-a", "C_a"), ("C_b", "C-b")):
            for name in (first, other):
                interval, value = (20, 40) if name in ("C-a", "C-b") else (10, 10)
                self.r.ask("POST", "/api/v1/series", {"series": [
                    {"metric": name, "type": "count", "interval": interval, "points": [[at + interval, value]]}]}, status=202)
            name = first.replace("-", "_")
            self.assertEqual(self.points(f"sum:{name}{{*}}.as_rate().rollup(max,60)"), {"": [2]}, first)
            self.assertEqual(self.points(f"sum:{name}{{*}}.as_rate().rollup(avg,60)"), {"": [1.5]}, first)
        # One that has no interval counts as it is, whichever comes last.
        for first, other in (("N-a", "N_a"), ("N_b", "N-b")):
            for name in (first, other):
                one = {"metric": name, "type": "rate", "points": [[at + 10, 2]]}
                if "-" in name:
                    one = {"metric": name, "type": "rate", "interval": 20, "points": [[at + 20, 3]]}
                self.r.ask("POST", "/api/v1/series", {"series": [one]}, status=202)
            name = first.replace("-", "_")
            self.assertEqual(self.points(f"sum:{name}{{*}}.as_rate().rollup(60)"), {"": [62 / 60]}, first)
            self.assertEqual(self.points(f"sum:{name}{{*}}.as_count().rollup(60)"), {"": [62]}, first)

    def test_nulls_of_arithmetic(self):
        self.assertEqual(self.points("sum:hits{env:prod}.rollup(60) / sum:hits{env:ci}.rollup(60)"), {"": [5 / 5.5 / 2, None, None]})
        self.assertEqual(self.points("sum:hits{env:prod}.as_count().rollup(60) / sum:hits{env:ci}.as_count().rollup(60)"), {"": [5 / 11, 0, 0]})
        self.assertEqual(self.points("sum:hits{*}.rollup(60) / (sum:hits{*}.rollup(60) - sum:hits{*}.rollup(60))"), {"": [None] * 3})
        self.assertEqual(self.points("sum:hits{*} by {env} / sum:none{*} by {env}"), {})
        self.refused("must be grouped by the same tags", "GET", "/api/v1/query",
                     **{"from": NOW - 60, "to": NOW, "query": "sum:hits{*} by {env} / sum:hits{*} by {route}"})
        self.refused("p95 has no percentiles", "GET", "/api/v1/query", **{"from": NOW - 60, "to": NOW, "query": "p95:hits{*}"})
        self.refused("weighted() needs a gauge", "GET", "/api/v1/query", **{"from": NOW - 60, "to": NOW, "query": "sum:size{*}.weighted()"})

    def test_weighted(self):
        at = (NOW - 60) // 60 * 60
        self.r.ask("POST", "/api/v1/series", {"series": [
            {"metric": "w", "type": "gauge", "interval": 10, "points": [[at, 12]], "tags": ["pod:a"]},
            {"metric": "w", "type": "gauge", "interval": 10, "points": [[at + 10 * i, 6] for i in range(6)], "tags": ["pod:b"]}]}, status=202)
        self.assertEqual(self.points("sum:w{*}.rollup(60)"), {"": [18]})
        self.assertEqual(self.points("sum:w{*}.rollup(avg, 60).weighted()"), {"": [8]})

    def test_what_cannot_be_read(self):
        for query, rule, rest, expected in (
                ("last:hits{*}", "aggregator", "last:hits{*}", "avg:, sum:"), ("p0:hits{*}", "aggregator", "p0:", "avg:, sum:"),
                ("sum hits{*}", "scope_expr", "hits{*}", "'{' and a scope"), ("sum:{*}", "metric_name", "{*}", "a metric name"),
                ("sum:hits", "scope_expr", "", "'{' and a scope"), ("sum:hits{}", "scope_expr", "}", "a tag or *"),
                ("sum:hits{a,}", "scope_expr", "}", "a tag or *"), ("sum:hits{a", "scope_expr", "", "AND, OR, ',' or '}'"),
                ("sum:hits{a b}", "scope_expr", "b}", "AND, OR"), ("sum:hits{$env}", "scope_expr", "$env}", "a tag or *"),
                ("sum:hits{(a OR b}", "scope_expr", "}", "')'"), ("sum:hits{a IN b}", "scope_expr", "b}", "'(' after IN"),
                ("sum:hits{a IN ()}", "scope_expr", ")}", "a value"), ("sum:hits{NOT}", "scope_expr", "}", "a tag or *"),
                ("sum:hits{*} by route", "by", "route", "'{' after by"), ("sum:hits{*} by {}", "by", "}", "a tag key"),
                ("sum:hits{*} by {a", "by", "", "',' or '}'"), ("sum:hits{*}.rollup", "modifier", "", "'(' after"),
                ("sum:hits{*}.rollup(x)", "rollup", "x)", "avg, sum, min"), ("sum:hits{*}.rollup(0)", "rollup", "0)", "a whole number"),
                ("sum:hits{*}.rollup(last)", "rollup", "last)", "avg, sum, min"),
                ("sum:hits{*}.rollup(60", "modifier", "", "')'"), ("sum:hits{*}.fill(", "fill", "", "linear, last"),
                ("sum:hits{*}.fill(zero, 601)", "fill", "601)", "from 1 to 600"),
                ("sum:hits{*}.as_count(1)", "modifier", "1)", "')'"), ("sum:hits{*}.derivative()", "modifier", "derivative()", "one of as_count()"),
                ("sum:hits{*} +", "expr", "", "a metric, a number"), ("(sum:hits{*}", "expr", "", "')'"),
                ("sum:hits{*})", "expr", ")", "an operator or the end"), ("1 + 2", "expr", "", "a metric beside"),
                ("1 / 0 + sum:hits{*}", "expr", " + sum", "numbers whose result"), ("abs(2)", "arguments", ")", "a query as the first"),
                ("anomalies(sum:hits{*}, 'basic', 2)", "function", "anomalies(sum:hits{*", "a function that statwit"),
                ("forecast(sum:hits{*}, 'linear', 1)", "function", "forecast(", "a function"), ("abs(sum:hits{*}, 1)", "arguments", " 1)", "no further"),
                ("clamp_min(sum:hits{*})", "arguments", "", "more arguments"), ("clamp_min(sum:hits{*}, x)", "number", "x)", "a number"),
                ("top(sum:hits{*}, 0, 'mean', 'desc')", "arguments", "", "from 1 to 1000000"),
                ("top(sum:hits{*}, 9223372036854775808, 'mean', 'desc')", "arguments", "", "from 1 to 1000000"),
                ("top(sum:hits{*}, 5, 'best', 'desc')", "arguments", "", "'mean', 'min'"), ("top(sum:hits{*}, 5, 'mean', 'up')", "arguments", "", "'asc' or 'desc'"),
                ("bottom(sum:hits{*} by {route}, 1, 'mean', 'desc')", "arguments", "", "'asc' behind bottom"),
                ("moving_rollup(sum:hits{*}, 0)", "arguments", "", "seconds"), ("timeshift(sum:hits{*}, 1.5)", "arguments", "", "seconds"),
                ("sum:hits{*}.as_count().as_rate()", "modifier", "", "not both"), ("avg:hits{*}.weighted()", "modifier", "", "weighted() behind sum:"),
                ("sum:hits{" + ",".join("a" * 1025) + "}", "scope_expr", "", "at most 1024"), ("'", "expr", "'", "a metric"),
                ("sum:hits{*} by {" + ",".join("a" * 17) + "}", "by", "}", "at most 16 tag keys")):
            self.refused(f"Rule '{rule}' didn't match at '{rest}", "GET", "/api/v1/query", **{"from": 1, "to": 2, "query": query})
            self.refused(expected, "GET", "/api/v1/query", **{"from": 1, "to": 2, "query": query})
        self.refused("(line 2, column 3)", "GET", "/api/v1/query", **{"from": 1, "to": 2, "query": "sum:hits{*} /\n  ?"})
        for scope in ("a AND !b", "!a AND b", "a,b OR c", "a IN (b, !c)", "NOT a,b"):
            self.refused("'AND' and 'OR' cannot be mixed with ','", "GET", "/api/v1/query",
                         **{"from": 1, "to": 2, "query": "sum:hits{" + scope + "}"})
        for args, part in (({"query": "sum:hits{*}"}, "'from' is required"),
                           ({"from": 1, "query": "sum:hits{*}"}, "'to' is required"),
                           ({"from": 1, "to": "x", "query": "sum:hits{*}"}, "'to' is invalid: it must be seconds since 1970"),
                           ({"from": NOW * 1000, "to": NOW * 1000 + 1, "query": "sum:hits{*}"}, "'from' is invalid: it must be seconds"),
                           ({"from": 1, "to": 2}, "'query' is required"),
                           ({"from": 2, "to": 2, "query": "sum:hits{*}"}, "'from' must lie before 'to'"),
                           ({"from": 1, "to": 2, "query": ",".join(["sum:hits{*}"] * 257)}, "At most 256 queries")):
            self.refused(part, "GET", "/api/v1/query", **args)

    def v2(self, what, queries, status=200, **more):
        attributes = {"from": (NOW - 120) * 1000, "to": (NOW + 59) * 1000, "interval": 60000, "queries": queries} | more
        body = {"data": {"type": what + "_request", "attributes": attributes}}
        answer = self.r.ask("POST", "/api/v2/query/" + what, body, status=status)
        return answer["data"]["attributes"] if status == 200 else answer["errors"][0]

    def test_timeseries(self):
        queries = [{"name": "a", "query": "sum:hits{env:ci} by {route}", "data_source": "metrics"},
                   {"name": "b", "query": "avg:size{*}", "data_source": "metrics"}]
        got = self.v2("timeseries", queries)
        self.assertEqual(got["times"], [(NOW - 120 + 60 * i) * 1000 for i in range(3)])
        self.assertEqual(got["values"], [[10, 20, 30], [1, 2, 3], [4, 8, None]])
        self.assertEqual([one["group_tags"] for one in got["series"]], [["route:a"], ["route:b"], []])
        self.assertEqual([one["query_index"] for one in got["series"]], [0, 0, 1])
        got = self.v2("timeseries", queries, formulas=[{"formula": "b"}])  # no moment without a value
        self.assertEqual((got["times"], got["values"]), ([(NOW - 120) * 1000, (NOW - 60) * 1000], [[4, 8]]))
        got = self.v2("timeseries", queries, formulas=[{"formula": "100 * a / b", "limit": {"count": 1, "order": "asc"}}])
        self.assertEqual((got["series"][0]["group_tags"], got["values"]), (["route:b"], [[25, 25]]))
        self.assertEqual(self.v2("timeseries", [{"name": "a", "query": "avg:none{*}"}]), {"series": [], "times": [], "values": []})

    def test_scalar(self):
        for aggregator, expected in (("sum", [60, 6]), ("avg", [20, 2]), ("min", [10, 1]), ("max", [30, 3]), ("mean", [20, 2]),
                                     ("last", [30, 3]), ("area", [60, 6]), ("percentile", [20, 2]), (None, [20, 2])):
            query = {"name": "a", "query": "sum:hits{env:ci} by {route}", "aggregator": aggregator}
            group, number = self.v2("scalar", [{k: v for k, v in query.items() if v}])["columns"]
            self.assertEqual((group["name"], group["values"]), ("route", [["a"], ["b"]]))
            self.assertEqual((number["name"], number["values"]), ("a", expected))
        rows = self.v2("scalar", [{"query": "sum:hits{*} by {env}", "aggregator": "sum"},
                                  {"query": "sum:hits{env:ci} by {env}", "aggregator": "sum"}])["columns"]
        self.assertEqual([column["values"] for column in rows], [[["ci"], ["prod"]], [66, 5], [66, None]])
        self.assertEqual(rows[1]["name"], "sum:hits{*} by {env}")
        queries = [{"name": "a", "query": "sum:hits{*} by {env}", "aggregator": "sum"},
                   {"name": "b", "query": "sum:hits{*}", "aggregator": "sum"}]
        for formula, limit, expected in (
                ("a / b * 100", None, [66 / 71 * 100, 5 / 71 * 100]), ("a", {"count": 1, "order": "desc"}, [66]),
                ("a", {"count": 1, "order": "asc"}, [5]), ("a", {"order": "asc"}, [5, 66]), ("-(a - b)", None, [5, 66]),
                ("a / (b - b)", None, [None, None]), ("default_zero(a / (b - b))", None, [0, 0]),
                ("clamp_max(a, 10)", None, [30, 5])):
            got = self.v2("scalar", queries, formulas=[{"formula": formula} | ({"limit": limit} if limit else {})])["columns"]
            self.assertEqual(got[-1]["values"], expected, formula)

    def test_questions_that_make_no_sense(self):
        good = {"name": "a", "query": "sum:hits{*}"}
        for queries, more, part in (
                ([], {}, "1 to 256 queries"), ([good] * 257, {}, "1 to 256 queries"), ([{}], {}, "needs a 'query'"),
                ([{"query": "hits"}], {}, "unable to parse hits"),
                ([good], {"formulas": [{"formula": "b + 1"}]}, "the name of one of the queries"),
                ([good], {"formulas": [{"formula": "sum:hits{*}"}]}, "the name of one of the queries"),
                ([good], {"formulas": [{}]}, "needs a 'formula'"), ([good], {"formulas": "a"}, "must be a list"),
                ([good], {"formulas": [{"formula": "a"}] * 257}, "too many formulas"),
                ([good | {"query": "abs(sum:hits{*})"}], {}, "Functions are not supported in metrics data source field."),
                ([good | {"query": "sum:hits{*} / 2"}], {}, "Functions are not supported in metrics data source field."),
                ([good | {"data_source": "logs"}], {}, "data_source"),
                ([good], {"from": NOW - 120, "to": NOW}, "Queries before 2010 are invalid"),
                ([good], {"formulas": [{"formula": "a", "limit": {"count": 0}}]}, "'limit.count'"),
                ([good], {"formulas": [{"formula": "a", "limit": {"count": 2 ** 62}}]}, "'limit.count'"),
                ([good], {"formulas": [{"formula": "a", "limit": {"count": 1, "order": "up"}}]}, "'limit.order'"),
                ([good], {"from": "now"}, "are milliseconds"), ([good], {"to": 0}, "are milliseconds"),
                ([good, good], {}, "a 'name' of its own"),
                ([good], {"to": 1e17}, "are milliseconds")):
            for what in ("timeseries", "scalar"):
                self.assertIn(part, self.v2(what, queries, 400, **more))
        for aggregator in ("p99", "median", "count", 5):
            self.assertIn("unknown aggregator", self.v2("scalar", [good | {"aggregator": aggregator}], 400))
        self.assertIn("'interval'", self.v2("timeseries", [good], 400, interval=0))
        self.refused("input validation failed", "POST", "/api/v2/query/scalar", "{")
        self.refused('Expected "scalar_request"', "POST", "/api/v2/query/scalar", {"data": {"type": "timeseries_request"}})
        self.refused('Expected "scalar_request"', "POST", "/api/v2/query/scalar", json.dumps([]))


class Flushed(Reads):
    """What came over DogStatsD is there as an Agent would have sent it on."""

    def points(self, query):
        got = self.get("/api/v1/query", **{"from": NOW - 3600, "to": NOW + 3600, "query": query + ".rollup(86400)"})
        return got["message"], [value for one in got["series"] for _, value in one["pointlist"]]

    def test_types_and_names(self):
        self.r.send("login.attempt:1|c|#instance:failure", "login.attempt:2|c|@0.5|#instance:failure", "events.latency:320:80|ms", "size:7|d", "users:a|s", "users:b|s")
        self.assertEqual(self.points("sum:login.attempt{instance:failure}.as_count()"), ("", [5]))
        self.assertEqual(self.points("avg:login.attempt{*}"), ("", [0.5]))
        self.assertEqual(self.points("avg:events.latency.avg{*}"), ("", [200]))
        self.assertEqual(self.points("max:events.latency.max{*}"), ("", [320]))
        self.assertEqual(self.points("sum:events.latency.count{*}.as_count()"), ("", [2]))
        self.assertEqual(self.points("p95:size{*}"), ("", [7]))
        self.assertEqual(self.points("avg:users{*}"), ("", [2]))
        message, values = self.points("1 + avg:events.latency{*}")
        self.assertEqual(values, [])
        self.assertTrue(message.startswith("events.latency is a timing: an Agent makes events.latency.avg"), message)
        self.assertEqual(self.points("avg:nothing{*}"), ("", []))
        names = ["events.latency." + part for part in ("95percentile", "avg", "count", "max", "median")] + ["login.attempt", "size", "users"]
        self.assertEqual(self.get("/api/v1/metrics", **{"from": NOW - 60})["metrics"], names)
        self.assertEqual([one["id"] for one in self.get("/api/v2/metrics")["data"]], names)
        self.assertEqual(self.get("/api/v1/metrics/login.attempt")["type"], "rate")

    def test_what_came_over_http_is_as_it_was(self):
        self.r.ask("POST", "/api/v1/series", {"series": [
            {"metric": "hits", "type": "count", "interval": 10, "points": [[NOW, 4]], "tags": ["env:ci"]},
            {"metric": "hits", "type": "count", "interval": 10, "points": [[NOW - 20, 5]], "tags": ["env:ci"]}]}, status=202)
        self.r.send("hits:3|c|#env:prod")
        self.assertEqual(self.points("sum:hits{env:ci}.as_count()"), ("", [9]))
        self.assertEqual(self.points("sum:hits{env:prod}.as_count()"), ("", [3]))


class Raw(Queries):
    """With --raw-queries samples stand under the names by which they were sent."""
    FLAGS = ("--raw-queries",)

    def test_values_of_timings_are_put_together_at_once(self):
        self.r.send("took:1:2|ms|@0.5\ntook:6|ms", "users:a|s")
        for query, expected in (("avg:took{*}.rollup(3600)", {"": [12 / 5]}), ("avg:users{*}", {})):
            got = self.v1(query, **{"from": NOW - 3600, "to": NOW + 3600})
            self.assertEqual({",".join(one["tag_set"]): [value for _, value in one["pointlist"]] for one in got}, expected, query)

    def test_lines_are_flushed_every_ten_seconds(self):
        at = NOW - 60
        self.r.send(*(f"lines:{i}|c|T{at + i}" for i in range(1, 10)), *(f"level:{i}|g|T{at + i}" for i in range(1, 10)))
        self.assertEqual(self.points("sum:lines{*}"), {"": [45]})
        self.assertEqual(self.points("sum:lines{*}.as_rate()"), {"": [4.5]})
        self.assertEqual(self.points("avg:level{*}"), {"": [9]})

    def test_the_later_of_two_spellings_holds(self):
        at = NOW - 60
        # The last of a flush holds, whatever spelling and whatever way it came; a count's lines are added up, in any order of their times.
        self.r.send(f"My-g:5|g|T{at}", f"My_g:7|g|T{at + 1}", f"h:7|g|#Env:A|T{at}", f"h:5|g|#env:a|T{at}",
                    f"My-c:1|c|T{at}", f"My_c:2|c|T{at}", f"late:1|c|T{at}", f"late:2|c|T{at - 10}", f"late:4|c|T{at + 1}", f"both:5|g|T{at}")
        self.assertEqual(self.points("avg:both{*}.rollup(600000)"), {"": [5]}) # so the line is there first
        self.r.ask("POST", "/api/v1/series", {"series": [{"metric": "both", "type": "gauge", "points": [[at, 1]]}]}, status=202)
        self.r.send("\n".join(f"turn:{i}|g|{('#a:1,b:1', '#b:1,a:1')[i % 2]}|T{at}" for i in range(1, 6)))  # in one commit
        for query, expected in (("avg:My_g", 7), ("avg:h", 5), ("sum:My_c", 2), ("sum:late", 7), ("avg:both", 1), ("avg:turn", 5)):
            self.assertEqual(self.points(query + "{*}.rollup(sum,600000)"), {"": [expected]}, query)
        for query, expected in (("avg:My_g", 1), ("avg:h", 1), ("sum:late", 2), ("avg:both", 1)):
            self.assertEqual(self.points(query + "{*}.rollup(count,600000)"), {"": [expected]}, query)

if __name__ == "__main__":
    unittest.main()
