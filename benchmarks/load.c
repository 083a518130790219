/* A load client for one HTTP/1.1 server: N callers in a closed loop, each on its own kept-alive connection.
 *
 * benchmarks/client.py compiles it (cc -O2) and reads the JSON that it prints. One thread and epoll, so that
 * the client is not the bottleneck: some ten microseconds of CPU for a call. Every run is bounded, in calls
 * (--count) and in time (--seconds).
 *
 *   load --port P --path /predictions... [--body FILE] [--mode MODE] [--callers N] [--count N] [--seconds S]
 *        [--header 'Name: value']... [--expect TEXT] [--events N]
 *
 * A call, by mode:
 *   post     POST; the answer is complete
 *   fetch    POST; then GET the URL in the answer's "output"
 *   events   POST; the answer is a stream of server-sent events
 *   stream   POST; then GET the URL in the answer's "stream", which is a stream of events
 *   get      GET, without a body; several --path take turns
 *
 * An answer 409 is "busy": the caller asks again at once, and its time goes on. A call is a failure where the
 * status is not 2xx, --expect is not in the answer to the POST, an `error` event came, or the number of
 * `output` events is not --events. It never follows a URL to another host: only paths are used.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define HEAD_LIMIT 16384
#define BODY_LIMIT (256u << 20)
#define HEADERS_LIMIT 4096
#define PATHS_LIMIT 4096

enum mode { POST, FETCH, EVENTS, STREAM, GET };
enum part { HEAD, COUNTED, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, UNTIL_CLOSE, COMPLETE };

struct text {
    char *bytes;
    size_t length, space;
};

struct caller {
    int fd, second_step, heard;
    uint32_t interest;
    uint64_t started_ns, first_ns, ended_ns;
    struct text request;
    size_t sent;
    /* the answer */
    enum part part;
    int status, closes, is_events;
    uint64_t left;
    char size_line[32];
    size_t size_length;
    char head[HEAD_LIMIT];
    size_t head_length;
    struct text body;
    /* its events */
    char line[64];
    size_t line_length;
    char event[16];
    uint64_t events;
    int event_failed;
};

static struct {
    enum mode mode;
    int port, callers;
    uint64_t count, events;
    double seconds;
    const char *paths[PATHS_LIMIT], *expect;
    size_t path_count;
    char headers[HEADERS_LIMIT];
    struct text post;
} options = {.callers = 1, .count = 1, .seconds = 60};

static struct {
    uint64_t begun, ok, failed, busy, reconnects, events, bytes;
    uint32_t *latency_us, *first_us;
    uint64_t firsts;
    char failure[400];
} tally;

static int poll_fd;
static int running;

static void give_up(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void append(struct text *text, const char *bytes, size_t length) {
    if (text->length + length + 1 > text->space) {
        text->space = (text->length + length + 1) * 2;
        text->bytes = realloc(text->bytes, text->space);
        if (!text->bytes) give_up("memory");
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

/* -- connections ------------------------------------------------------------------------------------- */

static void watch(struct caller *caller, int operation, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.ptr = caller};
    if (operation == EPOLL_CTL_MOD && caller->interest == interest) return;
    if (epoll_ctl(poll_fd, operation, caller->fd, &event)) give_up("epoll_ctl");
    caller->interest = interest;
}

static void connect_caller(struct caller *caller) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    caller->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (caller->fd < 0) give_up("socket");
    setsockopt(caller->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(caller->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        give_up("connect");
    watch(caller, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void disconnect(struct caller *caller) {
    if (caller->fd >= 0) close(caller->fd);
    caller->fd = -1;
}

static void send_rest(struct caller *caller) {
    while (caller->sent < caller->request.length) {
        ssize_t n = send(caller->fd, caller->request.bytes + caller->sent, caller->request.length - caller->sent,
                         MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN || errno == EINPROGRESS)) {
            watch(caller, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0) return; /* the reset is seen when reading */
        caller->sent += (size_t)n;
    }
    watch(caller, EPOLL_CTL_MOD, EPOLLIN);
}

/* -- calls ------------------------------------------------------------------------------------------- */

static void send_request(struct caller *caller) {
    caller->part = HEAD;
    caller->head_length = caller->body.length = caller->line_length = caller->sent = 0;
    caller->event[0] = 0;
    caller->heard = 0;
    if (caller->fd < 0) connect_caller(caller);
    else send_rest(caller);
}

static void send_post(struct caller *caller) {
    caller->second_step = 0;
    caller->request.length = 0;
    append(&caller->request, options.post.bytes, options.post.length);
    send_request(caller);
}

static void send_get(struct caller *caller, const char *path, size_t length) {
    char rest[HEADERS_LIMIT + 128];
    int size = snprintf(rest, sizeof rest, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", options.port,
                        options.mode == STREAM ? "Accept: text/event-stream\r\n" : "", options.headers);
    caller->second_step = 1;
    caller->request.length = 0;
    append(&caller->request, "GET ", 4);
    append(&caller->request, path, length);
    append(&caller->request, rest, (size_t)size);
    send_request(caller);
}

static void begin_call(struct caller *caller) {
    if (tally.begun >= options.count) {
        disconnect(caller);
        running--;
        return;
    }
    tally.begun++;
    caller->started_ns = now_ns();
    caller->first_ns = caller->ended_ns = 0;
    caller->events = 0;
    caller->event_failed = 0;
    if (options.mode == GET) {
        const char *path = options.paths[tally.begun % options.path_count];
        send_get(caller, path, strlen(path));
    } else {
        send_post(caller);
    }
}

static uint32_t since_us(const struct caller *caller, uint64_t moment_ns) {
    uint64_t us = (moment_ns - caller->started_ns) / 1000;
    return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void end_call(struct caller *caller, const char *problem) {
    if (problem) {
        if (!tally.failed++)
            snprintf(tally.failure, sizeof tally.failure, "%s (status %d, %llu events): %.200s", problem,
                     caller->status, (unsigned long long)caller->events,
                     caller->body.length ? caller->body.bytes : "");
    } else {
        uint64_t ended_ns = caller->ended_ns ? caller->ended_ns : now_ns();
        tally.latency_us[tally.ok++] = since_us(caller, ended_ns);
        if (caller->first_ns) tally.first_us[tally.firsts++] = since_us(caller, caller->first_ns);
        tally.events += caller->events;
    }
    begin_call(caller);
}

/* The path of the URL that is the JSON string after "key": in the answer; its length, 0 where there is none. */
static size_t find_path(struct caller *caller, const char *key, const char **path) {
    if (!caller->body.length) return 0;
    const char *value = strstr(caller->body.bytes, key);
    if (!value) return 0;
    value += strlen(key);
    while (*value == ' ') value++;
    const char *end = *value == '"' ? strchr(value + 1, '"') : NULL;
    const char *host = end ? strstr(value, "://") : NULL;
    if (!host || host > end) return 0;
    *path = strchr(host + 3, '/');
    return *path && *path < end ? (size_t)(end - *path) : 0;
}

static void follow(struct caller *caller, const char *key) {
    const char *path;
    size_t length = find_path(caller, key, &path);
    if (!length) end_call(caller, "no URL in the answer");
    else send_get(caller, path, length);
}

static void end_of_events(struct caller *caller) {
    if (caller->event_failed) end_call(caller, "an error event");
    else if (!caller->ended_ns) end_call(caller, "the stream broke off");
    else if (options.events && caller->events != options.events) end_call(caller, "wrong number of events");
    else end_call(caller, NULL);
}

static void answer_complete(struct caller *caller) {
    if (caller->closes) disconnect(caller);
    if (caller->status == 409 && !caller->second_step) {
        tally.busy++;
        send_post(caller);
        return;
    }
    if (caller->status < 200 || caller->status > 299) {
        end_call(caller, "refused");
        return;
    }
    if (options.mode == EVENTS || (options.mode == STREAM && caller->second_step)) {
        end_of_events(caller);
        return;
    }
    if (!caller->second_step && options.expect &&
        (!caller->body.length || !strstr(caller->body.bytes, options.expect))) {
        end_call(caller, "unexpected answer");
        return;
    }
    if (options.mode == STREAM) follow(caller, "\"stream\":");
    else if (options.mode == FETCH && !caller->second_step) follow(caller, "\"output\":");
    else end_call(caller, NULL);
}

/* -- reading events ---------------------------------------------------------------------------------- */

static void end_of_line(struct caller *caller) {
    caller->line[caller->line_length] = 0;
    if (!strncmp(caller->line, "event:", 6)) {
        const char *name = caller->line + 6;
        while (*name == ' ') name++;
        snprintf(caller->event, sizeof caller->event, "%.15s", name);
        return;
    }
    if (caller->line_length) return;
    if (!strcmp(caller->event, "output")) {
        if (!caller->events++) caller->first_ns = now_ns();
    } else if (!strcmp(caller->event, "error")) {
        caller->event_failed = 1;
    } else if (!strcmp(caller->event, "done") || !strcmp(caller->event, "completed")) {
        caller->ended_ns = now_ns();
    }
    caller->event[0] = 0;
}

static void read_events(struct caller *caller, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            end_of_line(caller);
            caller->line_length = 0;
        } else if (bytes[i] != '\r' && caller->line_length < sizeof caller->line - 1) {
            caller->line[caller->line_length++] = bytes[i];
        }
    }
}

/* -- reading answers --------------------------------------------------------------------------------- */

static void take_body(struct caller *caller, const char *bytes, size_t length) {
    tally.bytes += length;
    if (caller->is_events) read_events(caller, bytes, length);
    else if (caller->body.length + length <= BODY_LIMIT) append(&caller->body, bytes, length);
}

static const char *find_header(const struct caller *caller, const char *name) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    const char *found = strcasestr(caller->head, wanted);
    if (!found) return NULL;
    found += strlen(wanted);
    while (*found == ' ') found++;
    return found;
}

static void read_head(struct caller *caller) {
    const char *length = find_header(caller, "content-length");
    const char *encoding = find_header(caller, "transfer-encoding");
    const char *connection = find_header(caller, "connection");
    const char *type = find_header(caller, "content-type");
    caller->status = atoi(caller->head + 9);
    caller->is_events = type && !strncasecmp(type, "text/event-stream", 17);
    caller->closes = connection && !strncasecmp(connection, "close", 5);
    caller->left = length ? strtoull(length, NULL, 10) : 0;
    if (caller->status / 100 == 1) {
        caller->part = HEAD;
        caller->head_length = 0;
    } else if (caller->status == 204 || caller->status == 304) {
        caller->part = COMPLETE;
    } else if (encoding && !strncasecmp(encoding, "chunked", 7)) {
        caller->part = CHUNK_SIZE;
        caller->size_length = 0;
    } else if (length) {
        caller->part = caller->left ? COUNTED : COMPLETE;
    } else {
        caller->part = UNTIL_CLOSE;
        caller->closes = 1;
    }
}

static size_t feed_head(struct caller *caller, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (caller->head_length == HEAD_LIMIT - 1) give_up("an answer's head is too long");
        caller->head[caller->head_length++] = bytes[i];
        caller->head[caller->head_length] = 0;
        if (caller->head_length >= 4 && !memcmp(caller->head + caller->head_length - 4, "\r\n\r\n", 4)) {
            read_head(caller);
            return i + 1;
        }
    }
    return length;
}

static size_t feed_counted(struct caller *caller, const char *bytes, size_t length) {
    size_t taken = length < caller->left ? length : (size_t)caller->left;
    take_body(caller, bytes, taken);
    caller->left -= taken;
    if (!caller->left) caller->part = caller->part == CHUNK ? CHUNK_END : COMPLETE;
    return taken;
}

/* The lines between chunks: a size, the empty one after a chunk, the trailer. */
static void end_of_size_line(struct caller *caller) {
    caller->size_line[caller->size_length] = 0;
    if (caller->part == CHUNK_END) {
        caller->part = CHUNK_SIZE;
    } else if (caller->part == CHUNK_SIZE) {
        caller->left = strtoull(caller->size_line, NULL, 16);
        caller->part = caller->left ? CHUNK : TRAILER;
    } else if (!caller->size_length) {
        caller->part = COMPLETE;
    }
    caller->size_length = 0;
}

static size_t feed_line(struct caller *caller, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            end_of_size_line(caller);
            return i + 1;
        }
        if (bytes[i] != '\r' && caller->size_length < sizeof caller->size_line - 1)
            caller->size_line[caller->size_length++] = bytes[i];
    }
    return length;
}

static void feed(struct caller *caller, const char *bytes, size_t length) {
    caller->heard = 1;
    while (length && caller->part != COMPLETE) {
        size_t taken = length;
        if (caller->part == HEAD) taken = feed_head(caller, bytes, length);
        else if (caller->part == COUNTED || caller->part == CHUNK) taken = feed_counted(caller, bytes, length);
        else if (caller->part == UNTIL_CLOSE) take_body(caller, bytes, length);
        else taken = feed_line(caller, bytes, length);
        bytes += taken;
        length -= taken;
    }
    if (length) give_up("bytes after the end of an answer");
}

static void connection_lost(struct caller *caller) {
    disconnect(caller);
    if (caller->part == UNTIL_CLOSE) {
        caller->part = COMPLETE;
        answer_complete(caller);
    } else if (!caller->heard && tally.reconnects++ < 1000) {
        send_request(caller); /* the server dropped an idle connection just when we wrote to it */
    } else {
        end_call(caller, "the connection broke off");
    }
}

static void readable(struct caller *caller) {
    static char bytes[1 << 18];
    ssize_t n = recv(caller->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) {
        connection_lost(caller);
        return;
    }
    feed(caller, bytes, (size_t)n);
    if (caller->part == COMPLETE) answer_complete(caller);
}

/* -- the run ----------------------------------------------------------------------------------------- */

static void run(struct caller *callers) {
    struct epoll_event ready[256];
    uint64_t deadline_ns = now_ns() + (uint64_t)(options.seconds * 1e9);
    while (running > 0 && now_ns() < deadline_ns) {
        int n = epoll_wait(poll_fd, ready, 256, 100);
        for (int i = 0; i < n; i++) {
            struct caller *caller = ready[i].data.ptr;
            if (caller->fd >= 0 && ready[i].events & EPOLLOUT) send_rest(caller);
            if (caller->fd >= 0 && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(caller);
        }
    }
    for (int i = 0; i < options.callers; i++) disconnect(&callers[i]);
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void print_times(const char *name, uint32_t *times_us, uint64_t n) {
    qsort(times_us, n, sizeof *times_us, ascending);
    uint64_t last = n ? n - 1 : 0;
    if (!n) printf("\"%s\": null, ", name);
    else
        printf("\"%s\": {\"min\": %u, \"p50\": %u, \"p90\": %u, \"p99\": %u, \"max\": %u}, ", name, times_us[0],
               times_us[last / 2], times_us[last * 9 / 10], times_us[last * 99 / 100], times_us[last]);
}

static void print_string(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
    putchar('"');
}

static void report(double elapsed_s) {
    printf("{\"ok\": %llu, \"failed\": %llu, \"unfinished\": %llu, \"busy\": %llu, \"reconnects\": %llu, ",
           (unsigned long long)tally.ok, (unsigned long long)tally.failed,
           (unsigned long long)(tally.begun - tally.ok - tally.failed), (unsigned long long)tally.busy,
           (unsigned long long)tally.reconnects);
    printf("\"elapsed_s\": %.6f, \"events\": %llu, \"bytes\": %llu, ", elapsed_s,
           (unsigned long long)tally.events, (unsigned long long)tally.bytes);
    print_times("latency_us", tally.latency_us, tally.ok);
    print_times("first_us", tally.first_us, tally.firsts);
    printf("\"failure\": ");
    print_string(tally.failure);
    printf("}\n");
}

static struct text read_file(const char *path) {
    struct text text = {0};
    char bytes[65536];
    FILE *file = fopen(path, "rb");
    if (!file) give_up(path);
    append(&text, "", 0);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;) append(&text, bytes, n);
    fclose(file);
    return text;
}

static void build_post(const char *body_path) {
    struct text body = read_file(body_path);
    char head[HEADERS_LIMIT + 512];
    int size = snprintf(head, sizeof head,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n%s%s\r\n",
                        options.paths[0], options.port, body.length,
                        options.mode == EVENTS ? "Accept: text/event-stream\r\n" : "", options.headers);
    append(&options.post, head, (size_t)size);
    append(&options.post, body.bytes, body.length);
}

static enum mode mode_named(const char *name) {
    const char *names[] = {"post", "fetch", "events", "stream", "get"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(name, names[i])) return (enum mode)i;
    errno = EINVAL;
    give_up(name);
    return POST;
}

static void add_header(const char *header) {
    size_t used = strlen(options.headers);
    if (used + strlen(header) + 3 > HEADERS_LIMIT) give_up("headers are too long");
    sprintf(options.headers + used, "%s\r\n", header);
}

static void add_path(const char *path) {
    if (options.path_count == PATHS_LIMIT) give_up("paths are too many");
    options.paths[options.path_count++] = path;
}

static void read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'},    {"path", 1, 0, 'u'},   {"body", 1, 0, 'b'},   {"mode", 1, 0, 'm'},
        {"callers", 1, 0, 'c'}, {"count", 1, 0, 'n'},  {"seconds", 1, 0, 's'}, {"header", 1, 0, 'h'},
        {"expect", 1, 0, 'e'},  {"events", 1, 0, 'v'}, {0, 0, 0, 0}};
    const char *body = NULL;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'p') options.port = atoi(optarg);
        else if (option == 'u') add_path(optarg);
        else if (option == 'b') body = optarg;
        else if (option == 'm') options.mode = mode_named(optarg);
        else if (option == 'c') options.callers = atoi(optarg);
        else if (option == 'n') options.count = strtoull(optarg, NULL, 10);
        else if (option == 's') options.seconds = atof(optarg);
        else if (option == 'h') add_header(optarg);
        else if (option == 'e') options.expect = optarg;
        else if (option == 'v') options.events = strtoull(optarg, NULL, 10);
        else exit(2);
    }
    errno = EINVAL;
    if (!options.path_count || !options.port || options.callers < 1 || options.count > 50000000)
        give_up("options");
    if (options.mode == GET) return;
    if (!body) give_up("body");
    build_post(body);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    if ((uint64_t)options.callers > options.count) options.callers = (int)options.count;
    struct caller *callers = calloc((size_t)options.callers, sizeof *callers);
    tally.latency_us = calloc(options.count + 1, sizeof *tally.latency_us);
    tally.first_us = calloc(options.count + 1, sizeof *tally.first_us);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!callers || !tally.latency_us || !tally.first_us || poll_fd < 0) give_up("start");
    running = options.callers;
    uint64_t started_ns = now_ns();
    for (int i = 0; i < options.callers; i++) {
        callers[i].fd = -1;
        begin_call(&callers[i]);
    }
    run(callers);
    report((double)(now_ns() - started_ns) / 1e9);
    return tally.failed || tally.ok < options.count ? 1 : 0;
}
