/* Answers: a head of lines, then a body whose end is told by a length, by chunks, or by the end of the connection. */
#include "report/plain_answer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_SIZE 8192
#define SIZE_MAX_BODY ((uint64_t)1 << 40) /* whoever sends more does not mean it */

struct head {
    bool chunked, has_length;
    uint64_t length;
};

static enum plain_end garbled(struct plain_way *way, const char *words) {
    way->exchange->words = words;
    return PLAIN_GARBLED;
}

/* A line without its end. What is longer than the buffer is no line of HTTP. */
static enum plain_end take_line(struct plain_way *way, char line[LINE_MAX_SIZE]) {
    size_t n = 0;
    for (;;) {
        struct plain *p = way->plain;
        while (p->at < p->n) {
            char byte = p->in[p->at++];
            if (byte == '\n') {
                line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
                return PLAIN_DONE;
            }
            if (n == LINE_MAX_SIZE - 1 || byte == '\0')
                return garbled(way, "a line of its head is too long, or holds a NUL");
            line[n++] = byte;
        }
        enum plain_end end = way->fill(way);
        if (end != PLAIN_DONE)
            return end;
    }
}

/* "HTTP/1.1 200 OK"; what follows the number is for people. */
static int status_of(const char *line) {
    if (strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' || line[8] != ' ')
        return -1;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return -1;
        status = status * 10 + (line[i] - '0');
    }
    return (line[12] == ' ' || line[12] == '\0') && status >= 100 ? status : -1;
}

/* Digits of the base and nothing else, or blanks and `;` with more behind them where that may be. */
static bool take_size(const char *text, unsigned base, bool extended, uint64_t *size) {
    const char *at = text;
    for (*size = 0; *at && *size < SIZE_MAX_BODY; at++) {
        unsigned digit = *at >= '0' && *at <= '9'   ? (unsigned)(*at - '0')
                         : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10
                         : *at >= 'A' && *at <= 'F' ? (unsigned)(*at - 'A') + 10
                                                    : base;
        if (digit >= base)
            break;
        *size = *size * base + digit;
    }
    if (at == text || *size >= SIZE_MAX_BODY)
        return false;
    at += strspn(at, " \t");
    return *at == '\0' || (extended && *at == ';');
}

static enum plain_end take_field(struct plain_way *way, struct head *head, char *line) {
    char *colon = strchr(line, ':');
    if (!colon)
        return garbled(way, "a line of its head has no colon");
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (strcasecmp(line, "Content-Length") == 0) {
        uint64_t length;
        if (!take_size(value, 10, false, &length) || (head->has_length && length != head->length))
            return garbled(way, "its Content-Length is not one number");
        head->has_length = true;
        head->length = length;
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0)
            return garbled(way, "its Transfer-Encoding is not known");
        head->chunked = true;
    } else if (strcasecmp(line, "Connection") == 0) {
        way->last = way->last || strcasecmp(value, "close") == 0;
    } else if (strcasecmp(line, "Content-Type") == 0) {
        snprintf(way->exchange->content_type, sizeof way->exchange->content_type, "%s", value);
    }
    return PLAIN_DONE;
}

static enum plain_end take_head(struct plain_way *way, struct head *head) {
    char line[LINE_MAX_SIZE];
    size_t size = 0;
    *head = (struct head){0};
    enum plain_end end = take_line(way, line);
    if (end != PLAIN_DONE)
        return end;
    way->exchange->status = status_of(line);
    if (way->exchange->status < 0)
        return garbled(way, "it does not speak HTTP/1.1");
    way->exchange->content_type[0] = '\0';
    way->last = line[7] == '0';
    while ((end = take_line(way, line)) == PLAIN_DONE && line[0]) {
        size += strlen(line);
        if (size > PLAIN_HEAD_MAX)
            return garbled(way, "its head has more than 64 KiB");
        if ((end = take_field(way, head, line)) != PLAIN_DONE)
            return end;
    }
    return end;
}

/* `left` bytes, or all there are until the end of the connection. */
static enum plain_end take_bytes(struct plain_way *way, uint64_t left, bool until_end) {
    struct plain *p = way->plain;
    while (left > 0) {
        if (p->at == p->n) {
            enum plain_end end = way->fill(way);
            if (end == PLAIN_LOST && until_end && way->exchange->number == 0)
                return PLAIN_DONE;
            if (end != PLAIN_DONE)
                return end;
        }
        size_t n = p->n - p->at;
        n = n < left ? n : (size_t)left;
        p->at += n;
        left -= until_end ? 0 : n;
        if (!way->exchange->take(way->exchange->context, p->in + p->at - n, n))
            return PLAIN_STOPPED;
    }
    return PLAIN_DONE;
}

/*      5\r\n hello \r\n 0\r\n [a field \r\n]... \r\n */
static enum plain_end take_chunks(struct plain_way *way) {
    char line[LINE_MAX_SIZE];
    enum plain_end end;
    for (;;) {
        uint64_t size;
        if ((end = take_line(way, line)) != PLAIN_DONE)
            return end;
        if (!take_size(line, 16, true, &size))
            return garbled(way, "a piece of it has no size");
        if (size == 0)
            break;
        if ((end = take_bytes(way, size, false)) != PLAIN_DONE || (end = take_line(way, line)) != PLAIN_DONE)
            return end;
        if (line[0])
            return garbled(way, "a piece of it is larger than it said");
    }
    size_t n_fields = 0;
    while ((end = take_line(way, line)) == PLAIN_DONE && line[0])
        if (++n_fields > 100)
            return garbled(way, "too much comes behind it");
    return end;
}

enum plain_end plain_answer(struct plain_way *way) {
    struct head head;
    enum plain_end end;
    size_t n_before = 0;
    do
        if ((end = take_head(way, &head)) != PLAIN_DONE)
            return end;
    while (way->exchange->status < 200 && n_before++ < 10);
    int status = way->exchange->status;
    if (status < 200)
        return garbled(way, "it announces an answer again and again");
    if (strcmp(way->exchange->method, "HEAD") == 0 || status == 204 || status == 304)
        return PLAIN_DONE;
    if (head.chunked)
        return take_chunks(way);
    way->last = way->last || !head.has_length;
    return head.has_length ? take_bytes(way, head.length, false) : take_bytes(way, 1, true);
}
