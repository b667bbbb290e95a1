/* pipeline_conf_rows.c: the options of the service, of a pipeline's buffer, and those that every use has. */
#include "pipeline_conf_int.h"
#include <stdio.h>

#define DISK_MAX_SIZE   (UINT64_C(1) << 30)
#define MEMORY_MAX_SIZE (UINT64_C(8) << 20)
#define SEGMENTS_PER_DISK                                                                                    \
    4 /* a segment takes at most this part of max_size: space comes back by whole segments */

/* ---- service ---- */

typedef struct service_options {
    sl_span data_dir;
    sl_span http;
    int64_t workers;
    struct {
        int level;
        int format;
    } log;
    int64_t shutdown_timeout_ns;
    sl_list plugins;
} service_options;

static const char *const worker_words[] = {"auto", NULL};
static const char *const level_names[] = {"debug", "info", "warn", "error", NULL}; /* order of sl_log_level */
static const char *const format_names[] = {"text", "json", NULL};

static const sl_option log_rows[] = {
    {"level", SL_OPT_ENUM, offsetof(service_options, log.level) - offsetof(service_options, log),
     .def = "info", .names = level_names, .help = "Lines of this weight and above are written."},
    {"format", SL_OPT_ENUM, offsetof(service_options, log.format) - offsetof(service_options, log),
     .def = "text", .names = format_names, .help = "How a line of the agent's own log looks."},
    {0},
};

const sl_option sl_conf__service_rows[] = {
    {"data_dir", SL_OPT_STRING, offsetof(service_options, data_dir), .def = "/var/lib/sluice",
     .help = "Folder for journals, checkpoints and dead letters. One process owns it."},
    {"http", SL_OPT_STRING, offsetof(service_options, http), .def = "127.0.0.1:2020",
     .help = "Address and port for health and metrics, or `off`."},
    {"workers", SL_OPT_INT, offsetof(service_options, workers), .def = "auto", .min = 1, .max = 64,
     .names = worker_words, .help = "Threads that read and filter. `auto` is one a core, at most 4."},
    {"log", SL_OPT_GROUP, offsetof(service_options, log), .rows = log_rows,
     .help = "The agent's own log, on stderr."},
    {"shutdown_timeout", SL_OPT_DURATION, offsetof(service_options, shutdown_timeout_ns), .def = "30s",
     .max = 86400e9,
     .help =
         "How long a stop waits for what is on its way to be delivered. What is left stays in the journal."},
    {"plugins", SL_OPT_STRING, offsetof(service_options, plugins), .flags = SL_OPT_LIST,
     .help = "Paths of shared objects with plugins that are not built in."},
    {0},
};

static sl_mark mark_of(const sl_node *map, const char *key)
{
    const sl_member *member = map ? sl_node_find(map, key) : NULL;
    return member ? member->value->mark : (sl_mark){0};
}

/* Everything behind the last colon, or SL_SPAN_NONE. */
static bool split_address(sl_span text, sl_span *host, sl_span *port)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2) return false;
    *host = (sl_span){text.ptr, colon - 1};
    *port = (sl_span){text.ptr + colon, text.len - colon};
    bool bracketed = host->len > 2 && host->ptr[0] == '[' && host->ptr[host->len - 1] == ']';
    if (bracketed) *host = (sl_span){host->ptr + 1, host->len - 2};
    /* An IPv6 address without brackets could be read in two ways. */
    return bracketed || !memchr(host->ptr, ':', host->len);
}

static bool parse_port(sl_span text, uint16_t *out)
{
    unsigned value = 0;
    if (text.len == 0 || text.len > 5) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *out = (uint16_t)value;
    return value <= UINT16_MAX;
}

static void read_http(const sl_option_context *ctx, sl_span text, sl_mark mark, sl_service_conf *service)
{
    sl_span host, port;
    service->http.on = !sl_span_is_cstr(text, "off");
    if (!service->http.on) return;
    if (!split_address(text, &host, &port) || !parse_port(port, &service->http.port)) {
        sl_problems_error(ctx->problems, mark, "such as `127.0.0.1:2020`, `[::1]:2020` or `off`",
                          "`http` must be an address with a port from 0 to 65535, or `off`");
        return;
    }
    service->http.host = sl_arena_strndup(&ctx->memory->arena, host.ptr, host.len);
}

void sl_conf__read_service(const sl_option_context *ctx, const sl_node *node, sl_service_conf *service)
{
    service_options options = {0};
    sl_option_target target = {sl_conf__service_rows, &options};
    sl_options_read(ctx, node, node ? node->mark : (sl_mark){0}, "`service`", &target, 1);

    sl_span dir = options.data_dir;
    while (dir.len > 1 && dir.ptr[dir.len - 1] == '/')
        dir.len--;
    if (dir.len == 0)
        sl_problems_error(ctx->problems, mark_of(node, "data_dir"), "write the path of a folder",
                          "`data_dir` is empty");
    service->data_dir = sl_arena_strndup(&ctx->memory->arena, dir.ptr, dir.len);
    read_http(ctx, options.http, mark_of(node, "http"), service);
    service->workers = options.workers < 0 ? 0 : (unsigned)options.workers;
    service->log_level = (sl_log_level)options.log.level;
    service->log_json = options.log.format == 1;
    service->shutdown_timeout_ns = options.shutdown_timeout_ns;
    service->n_plugins = options.plugins.count;
    const char **plugins =
        sl_arena_zalloc(&ctx->memory->arena, (options.plugins.count + 1) * sizeof *plugins);
    for (size_t i = 0; i < options.plugins.count; i++)
        plugins[i] = SL_LIST_AT(options.plugins, sl_span, i).ptr;
    service->plugins = plugins;
}

/* ---- buffer ---- */

typedef struct buffer_options {
    int type;
    uint64_t max_size;
    bool max_size_set;
    uint64_t segment_size;
    bool segment_size_set;
    int64_t segment_age_ns;
    int64_t max_age_ns;
    int64_t fsync_ns;
    int when_full;
    int64_t compress_level;
} buffer_options;

static const char *const type_names[] = {"disk", "memory", NULL}; /* sl_journal_type */
static const char *const when_full_names[] = {"block", "drop_oldest", "drop_newest", NULL}; /* sl_when_full */
static const char *const fsync_words[] = {"batch", "off", NULL};

const sl_option sl_conf__buffer_rows[] = {
    {"type", SL_OPT_ENUM, offsetof(buffer_options, type), .def = "disk", .names = type_names,
     .help = "Where records wait for the outputs. `memory` writes nothing: an input is told that a record is "
             "safe only when it is "
             "delivered."},
    {"max_size", SL_OPT_SIZE, offsetof(buffer_options, max_size), .min = 64 << 10, .max = 1ull << 50,
     .set_offset = offsetof(buffer_options, max_size_set),
     .help = "Most bytes on disk, compressed, or in memory. Default `1GiB` on disk, `8MiB` in memory."},
    {"segment_size", SL_OPT_SIZE, offsetof(buffer_options, segment_size), .def = "64MiB", .min = 16 << 10,
     .max = 1 << 30, .set_offset = offsetof(buffer_options, segment_size_set),
     .help = "A file of the journal is closed at this size. At most a quarter of `max_size`; the default "
             "gives way to that."},
    {"segment_age", SL_OPT_DURATION, offsetof(buffer_options, segment_age_ns), .def = "1h", .min = 1e9,
     .max = 30 * 86400e9,
     .help = "A file of the journal is closed at this age, so that its space can come back."},
    {"max_age", SL_OPT_DURATION, offsetof(buffer_options, max_age_ns), .def = "0", .max = 3650 * 86400e9,
     .help =
         "Records that waited this long are dropped and counted. `0` keeps them until they are delivered."},
    {"fsync", SL_OPT_DURATION, offsetof(buffer_options, fsync_ns), .def = "1s", .min = 1e6, .max = 3600e9,
     .names = fsync_words,
     .help = "How often the journal is forced to the disk: after each `batch`, at this interval, or `off` "
             "(left to the system). Power "
             "loss costs at most this much, and nothing of inputs that can read again."},
    {"when_full", SL_OPT_ENUM, offsetof(buffer_options, when_full), .def = "block", .names = when_full_names,
     .help = "What happens at `max_size`: inputs wait, or records are dropped and counted."},
    {"compress_level", SL_OPT_INT, offsetof(buffer_options, compress_level), .def = "1", .min = 1, .max = 19,
     .help = "zstd level of the journal."},
    {0},
};

/* What says nothing for a buffer in memory is worth a word. */
static void warn_unused(const sl_option_context *ctx, const sl_node *node)
{
    static const char *const names[] = {"segment_size", "segment_age", "fsync", "compress_level"};
    for (size_t i = 0; i < SL_LEN(names); i++) {
        const sl_member *member = sl_node_find(node, names[i]);
        if (member)
            sl_problems_warn(ctx->problems, member->mark, "remove it, or set `type: disk`",
                             "`%s` does nothing with `type: memory`", names[i]);
    }
}

static void check_segment_size(const sl_option_context *ctx, const sl_node *node, buffer_options *options)
{
    uint64_t most = options->max_size / SEGMENTS_PER_DISK;
    if (!options->segment_size_set && options->segment_size > most) options->segment_size = most;
    if (options->type == SL_JOURNAL_MEMORY || options->segment_size <= most) return;
    sl_problems_error(
        ctx->problems, mark_of(node, "segment_size"), "make it smaller, or leave it out",
        "`segment_size` must be at most a quarter of `max_size`: space comes back by whole segments");
}

void sl_conf__read_buffer(const sl_option_context *ctx, const sl_node *node, sl_journal_conf *buffer)
{
    buffer_options options = {0};
    sl_option_target target = {sl_conf__buffer_rows, &options};
    sl_options_read(ctx, node, node ? node->mark : (sl_mark){0}, "`buffer`", &target, 1);
    if (!options.max_size_set)
        options.max_size = options.type == SL_JOURNAL_DISK ? DISK_MAX_SIZE : MEMORY_MAX_SIZE;
    if (node && options.type == SL_JOURNAL_MEMORY) warn_unused(ctx, node);
    check_segment_size(ctx, node, &options);
    *buffer = (sl_journal_conf){
        .type = options.type,
        .max_size = options.max_size,
        .segment_size = options.segment_size,
        .segment_age_ns = options.segment_age_ns,
        .max_age_ns = options.max_age_ns,
        .fsync = options.fsync_ns == -1   ? SL_FSYNC_BATCH
                 : options.fsync_ns == -2 ? SL_FSYNC_OFF
                                          : SL_FSYNC_INTERVAL,
        .fsync_interval_ns = options.fsync_ns > 0 ? options.fsync_ns : 0,
        .when_full = options.when_full,
        .compress_level = options.compress_level,
    };
}

/* ---- names ---- */

const sl_option sl_conf__input_rows[] = {
    {"name", SL_OPT_STRING, offsetof(sl_conf__name, name),
     .help = "Its name in the log, in metrics and for its checkpoints. Without one it has the plugin's name, "
             "numbered when the "
             "pipeline uses the plugin again: give one before you reorder."},
    {0},
};

const sl_option sl_conf__output_rows[] = {
    {"name", SL_OPT_STRING, offsetof(sl_conf__name, name),
     .help = "Its name in the log, in metrics and for its place in the journal. Without one it has the "
             "plugin's name, numbered "
             "when the pipeline uses the plugin again: give one before you reorder."},
    {0},
};

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool sl_conf__check_name(const sl_option_context *ctx, sl_span name, sl_mark mark, const char *what)
{
    bool good = name.len > 0 && name.len <= SL_MAX_NAME && is_alnum(name.ptr[0]);
    for (size_t i = 0; good && i < name.len; i++)
        good = is_alnum(name.ptr[i]) || strchr("_-.", name.ptr[i]);
    if (!good)
        sl_problems_error(ctx->problems, mark,
                          "take letters, digits, `_`, `-` and `.`, at most 64, a letter or digit first",
                          "`%.80s` can't be the name of %s", name.ptr, what);
    return good;
}
