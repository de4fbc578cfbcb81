package io.statwit.junit5;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON, as far as this package needs it, so that it brings no library along. */
final class Json {
    private static final int DEPTH_MAX = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Maps, lists, texts, Doubles, Booleans and nulls. Throws IllegalArgumentException. */
    static Object read(String text) {
        Json json = new Json(text);
        try {
            Object value = json.value(0);
            json.blanks();
            if (json.at < text.length())
                throw json.wrong();
            return value;
        } catch (IndexOutOfBoundsException e) {
            throw json.wrong();
        }
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        String between = "";
        if (value instanceof Map) {
            out.append('{');
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                write(entry.getKey(), out.append(between));
                write(entry.getValue(), out.append(':'));
                between = ",";
            }
            out.append('}');
        } else if (value instanceof Iterable) {
            out.append('[');
            for (Object one : (Iterable<?>) value) {
                write(one, out.append(between));
                between = ",";
            }
            out.append(']');
        } else if (value instanceof CharSequence) {
            quote(value.toString(), out);
        } else {
            out.append(value);
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\')
                out.append('\\').append(c);
            else if (c < ' ')
                out.append(String.format("\\u%04x", (int) c));
            else
                out.append(c);
        }
        out.append('"');
    }

    private IllegalArgumentException wrong() {
        return new IllegalArgumentException("no JSON at character " + at);
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0)
            at++;
    }

    private boolean skip(char c) {
        blanks();
        if (text.charAt(at) != c)
            return false;
        at++;
        return true;
    }

    private Object value(int depth) {
        if (depth > DEPTH_MAX)
            throw wrong();
        blanks();
        switch (text.charAt(at)) {
        case '{':
            return map(depth);
        case '[':
            return list(depth);
        case '"':
            return string();
        default:
            return word();
        }
    }

    private Map<String, Object> map(int depth) {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        if (skip('}'))
            return map;
        do {
            blanks();
            String key = string();
            if (!skip(':'))
                throw wrong();
            map.put(key, value(depth + 1));
        } while (skip(','));
        if (!skip('}'))
            throw wrong();
        return map;
    }

    private List<Object> list(int depth) {
        List<Object> list = new ArrayList<>();
        at++;
        if (skip(']'))
            return list;
        do
            list.add(value(depth + 1));
        while (skip(','));
        if (!skip(']'))
            throw wrong();
        return list;
    }

    private String string() {
        if (text.charAt(at++) != '"')
            throw wrong();
        StringBuilder out = new StringBuilder();
        for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
            if (c != '\\') {
                out.append(c);
                continue;
            }
            c = text.charAt(at++);
            int escaped = "bfnrt\"\\/".indexOf(c);
            if (c == 'u') {
                out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                at += 4;
            } else if (escaped >= 0) {
                out.append("\b\f\n\r\t\"\\/".charAt(escaped));
            } else {
                throw wrong();
            }
        }
        return out.toString();
    }

    private Object word() {
        int from = at;
        while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0)
            at++;
        String word = text.substring(from, at);
        switch (word) {
        case "true":
            return true;
        case "false":
            return false;
        case "null":
            return null;
        default:
            return Double.valueOf(word);
        }
    }
}
