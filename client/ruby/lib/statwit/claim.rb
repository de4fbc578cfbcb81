# frozen_string_literal: true

module Statwit
  # Writes the arguments of statsd-instrument's assertions as an expectation.
  module Claim
    TYPES = { increment: "incr", gauge: "gauge", measure: "timing", histogram: "histogram", distribution: "distribution", set: "set" }.freeze

    module_function

    # `times` nil: at least one. `tags`: at least these, as a hash or as texts; so other tags are ignored anyway, and `ignore_tags`
    # is taken for the sake of who writes it.
    def text(kind, name, value: nil, times: nil, tags: nil, sample_rate: nil, ignore_tags: nil)
      where = []
      where << "value == #{kind == :set ? quoted(value) : Float(value).to_s.delete_suffix(".0")}" unless value.nil?
      where << "rate == #{sample_rate}" if sample_rate
      [TYPES.fetch(kind), name(name) + tags(tags), ("where #{where.join(" and ")}" if where.any?),
       ("samples == #{Integer(times)}" if times)].compact.join(" ")
    end

    def name(name)
      raise ArgumentError, "#{name.inspect}: a name is a text, in which * and ? stand for others" if name.is_a?(Regexp)

      name = name.to_s
      name.match?(/\A[^\s{\["\\]+\z/) ? name : quoted(name)
    end

    def tags(tags)
      tags = tags.map { |key, value| value.nil? ? key : "#{key}:#{value}" } if tags.is_a?(Hash)
      tags.nil? || tags.empty? ? "" : "{#{tags.map { |tag| tag(tag.to_s) }.join(",")}}"
    end

    def tag(tag)
      key, colon, value = tag.partition(":")
      key = quoted(key) if colon.empty? && !plain?(key)
      return quoted(tag) unless colon.empty? || plain?(key)

      "#{key}#{colon}#{colon.empty? || plain?(value) ? value : quoted(value)}"
    end

    def plain?(text)
      text.match?(%r{\A[\w.*?/:@+-]+\z})
    end

    def quoted(text)
      "\"#{text.to_s.gsub(/["\\]/) { |c| "\\#{c}" }}\""
    end
  end
end
