# frozen_string_literal: true

module Statwit
  # A verdict: `pass`, `fail` or `inconclusive`. `text` is the server's explanation, `json` its whole answer.
  Report = Struct.new(:verdict, :text, :json) do
    # Whether the verdict is `pass`. An inconclusive one is neither a yes nor a no, so it raises.
    def pass?
      raise Inconclusive, self if verdict == "inconclusive"

      verdict == "pass"
    end

    def to_s
      "statwit: #{verdict}\n#{text}"
    end
  end

  # The metrics of one test, apart from all others. `env` holds the variables that lead a client here, `host` and `port` its UDP
  # address, `api_key` its key over HTTP.
  class Session
    attr_reader :recorder, :name, :env, :host, :port, :api_key

    def initialize(recorder, made)
      @recorder = recorder
      @name = made["name"]
      @env = made["env"].freeze
      @api_key = made["api_key"]
      host, _, port = made["dogstatsd"]["udp"].rpartition(":")
      @host = host.delete("[]")
      @port = port.to_i
    end

    # The Report on these expectations. `within`: seconds to wait until they hold.
    def ask(*expectations, within: 0, settle: 0, since: @since, **more)
      question = { expect: expectations, within_ms: (within * 1000).to_i }
      question[:settle_ms] = (settle * 1000).to_i if settle.positive?
      judge("expect", question.merge(more), wait_s: within + settle, since: since)
    end

    # Raises NotRecorded, or Inconclusive, unless the verdict on these expectations is `pass`.
    def expect(*expectations, **more)
      report = ask(*expectations, **more)
      raise NotRecorded, report unless report.pass?
    end

    # The Report on the names and tags of the session against these catalog files.
    def verify(*catalogs, **more)
      judge("verify", { catalog: catalogs.map { |file| { file: file.to_s, text: File.read(file, encoding: "UTF-8") } } }.merge(more))
    end

    # The Report on what Datadog would rewrite, drop or charge for.
    def lint(**more)
      judge("lint", more)
    end

    # From now on this session looks only at what comes later: for one client that several tests share.
    def mark!
      @since = mark
    end

    # This moment, for `ask(…, since: mark)`.
    def mark
      recorder.call("Post", "marks")["mark"]
    end

    def series(name = nil)
      list("series", name)
    end

    # `since` and `until`: marks.
    def samples(name = nil, **span)
      list("samples", name, **span)
    end

    def events
      list("events")
    end

    def checks
      list("service_checks")
    end

    def rejects
      list("rejects")
    end

    # What was recorded, for a person.
    def table
      lines = series.map do |s|
        format("%-12s %s{%s} samples=%d sum=%s last=%s", s["type"], s["name"], s["tags"].join(","), s["samples"], s["sum"] || "-", s["last"] || "-")
      end
      lines += events.map { |e| "event        #{e["title"]}: #{e["text"]}" }
      lines += checks.map { |c| "check        #{c["name"]} #{c["status"]}" }
      lines += rejects.map { |r| "refused      #{r["detail"]}: #{r["text"]}" }
      lines.empty? ? "nothing" : lines.join("\n")
    end

    # Leads ENV here while the block runs.
    def aim
      before = env.keys.to_h { |name| [name, ENV[name]] }
      ENV.update(env)
      yield
    ensure
      ENV.update(before) if before
    end

    # Forgets what was recorded.
    def reset
      recorder.call("Post", "reset?#{URI.encode_www_form(session: name)}")
    end

    # Ends the session. What is sent to it from now on reaches no other test. `keep`: its recording stays.
    def close(keep: false)
      recorder.call("Delete", "sessions/#{URI.encode_www_form_component(name)}#{"?keep=1" if keep}")
    rescue Malformed => e
      raise unless e.status == 404 # it was closed before
    end

    private

    def judge(what, question, wait_s: 0, since: @since)
      question = { session: name, **question }
      question[:since] = since if since
      answer = recorder.call("Post", what, question, wait_s: wait_s)
      Report.new(answer["verdict"], answer["text"].chomp, answer)
    end

    def list(what, name = nil, **span)
      query = { session: self.name, limit: 100_000_000, name: name, since: @since, **span }.compact
      recorder.call("Get", "#{what}?#{URI.encode_www_form(query)}")[what]
    end
  end
end
