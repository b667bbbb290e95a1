/* logger.c: the agent's own log on stderr. A line is made on the stack and written with one call, so that
 * lines of two threads never mix; nothing is allocated. Control characters are shown as `?`: a file name must
 * not forge a line. */
#include <sluice/json.h>
#include <sluice/logger.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE 2048

sl_log_level sl_log_min = SL_LOG_INFO;
static bool as_json;

void sl_log_init(sl_log_level min, bool json)
{
    __atomic_store_n(&sl_log_min, min, __ATOMIC_RELAXED);
    __atomic_store_n(&as_json, json, __ATOMIC_RELAXED);
}

static const char *level_name(sl_log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return names[level];
}

static size_t format_time(char *out, size_t size)
{
    int64_t now = sl_clock_wall_ns();
    time_t seconds = (time_t)(now / SL_NS_PER_S);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
    int n = snprintf(out + len, size - len, ".%03dZ", (int)(now % SL_NS_PER_S / SL_NS_PER_MS));
    return len + (n > 0 ? (size_t)n : 0);
}

static void clean(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f) *c = '?';
    }
}

static void write_line(const char *line, size_t len)
{
    /* Where the log cannot be written there is nobody left to tell. */
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored;
}

static void write_text(const char *when, const char *level, const char *component, const char *message)
{
    char line[MAX_LINE + 256];
    int len = snprintf(line, sizeof line, "%s %-5s %s: %s\n", when, level, component, message);
    if (len <= 0) return;
    size_t size = (size_t)len < sizeof line ? (size_t)len : sizeof line - 1;
    line[size - 1] = '\n';
    write_line(line, size);
}

static void write_json(const char *when, const char *level, const char *component, const char *message)
{
    sl_buf line = SL_BUF_NONE;
    sl_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":", when, level);
    sl_json_write_string(&line, sl_span_of(component));
    sl_buf_append_cstr(&line, ",\"message\":");
    sl_json_write_string(&line, sl_span_of(message));
    sl_buf_append_cstr(&line, "}\n");
    write_line(line.ptr, line.len);
    sl_buf_release(&line);
}

void sl_log_at(sl_log_level level, const char *component, const char *fmt, ...)
{
    char when[40], message[MAX_LINE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    clean(message);
    format_time(when, sizeof when);
    bool json = __atomic_load_n(&as_json, __ATOMIC_RELAXED);
    (json ? write_json : write_text)(when, level_name(level), component, message);
}

#define DEFAULT_BURST    5
#define DEFAULT_INTERVAL (10 * SL_NS_PER_S)

bool sl_log_limit_pass(sl_log_limit *limit, uint32_t *held)
{
    int64_t now = sl_clock_mono_ns();
    int64_t interval = limit->interval_ns ? limit->interval_ns : DEFAULT_INTERVAL;
    uint32_t burst = limit->burst ? limit->burst : DEFAULT_BURST;
    if (limit->since_ns == 0 || now - limit->since_ns >= interval) {
        limit->since_ns = now;
        limit->in_window = 0;
    }
    if (limit->in_window >= burst) {
        limit->held_back++;
        return false;
    }
    limit->in_window++;
    *held = limit->held_back;
    limit->held_back = 0;
    return true;
}
