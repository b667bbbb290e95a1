/* metrics.c: the registry of cells and their text form (OpenMetrics 1.0.0; counters are named with their
 * `_total`). */
#include "metrics.h"
#include <pthread.h>
#include <stdlib.h>

typedef struct cell {
    sl_counter counter; /* first: the cell is handed out as its counter */
    sl_metric_type type;
    char *name, *help;
    char *labels;      /* `{a="b"}`, or empty */
    const void *owner; /* NULL: it has ended */
    struct cell *next;
} cell;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cell *cells;
static size_t cell_count, free_count; /* free: without an owner */

static void append_label_value(sl_buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n') {
            sl_buf_append_cstr(out, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\') sl_buf_append_char(out, '\\');
        sl_buf_append_char(out, *value);
    }
}

static void append_labels(sl_buf *out, const char *const *labels)
{
    if (!labels || !labels[0]) return;
    for (size_t i = 0; i < 2 * SL_METRIC_MAX_LABELS && labels[i]; i += 2) {
        sl_buf_printf(out, "%s%s=\"", i ? "," : "{", labels[i]);
        append_label_value(out, labels[i + 1]);
        sl_buf_append_char(out, '"');
    }
    sl_buf_append_char(out, '}');
}

/* Under the lock: one that an earlier owner left, or NULL. */
static cell *find_free(sl_metric_type type, const char *name, const char *labels)
{
    for (cell *c = free_count ? cells : NULL; c; c = c->next) {
        if (!c->owner && c->type == type && strcmp(c->name, name) == 0 && strcmp(c->labels, labels) == 0)
            return c;
    }
    return NULL;
}

/* Under the lock. */
static cell *add_cell(sl_metric_type type, const char *name, const char *help, const char *labels)
{
    cell *c = sl_calloc(1, sizeof *c);
    c->type = type;
    c->name = sl_strdup(name);
    c->help = sl_strdup(help);
    c->labels = sl_strdup(labels);
    c->next = cells;
    cells = c;
    cell_count++;
    free_count++;
    return c;
}

sl_counter *sl_metrics_new(const void *owner, sl_metric_type type, const char *name, const char *help,
                           const char *const *labels)
{
    sl_assert(owner != NULL);
    sl_buf text = SL_BUF_NONE;
    append_labels(&text, labels);
    const char *shown = sl_buf_cstr(&text);
    pthread_mutex_lock(&lock);
    cell *c = find_free(type, name, shown);
    if (!c) c = add_cell(type, name, help, shown);
    c->owner = owner;
    free_count--;
    pthread_mutex_unlock(&lock);
    sl_buf_release(&text);
    return &c->counter;
}

void sl_metrics_retire(const void *owner)
{
    pthread_mutex_lock(&lock);
    for (cell *c = cells; c; c = c->next) {
        if (c->owner != owner) continue;
        c->owner = NULL;
        free_count++;
        if (c->type == SL_METRIC_GAUGE) sl_counter_set(&c->counter, 0);
    }
    pthread_mutex_unlock(&lock);
}

/* A family is named without the `_total` that its counters carry. */
static int family_len(const char *name)
{
    size_t len = strlen(name), suffix = strlen("_total");
    return (int)(len > suffix && strcmp(name + len - suffix, "_total") == 0 ? len - suffix : len);
}

void sl_metrics_write_family(sl_buf *out, sl_metric_type type, const char *name, const char *help)
{
    int len = family_len(name);
    sl_buf_printf(out, "# TYPE %.*s %s\n", len, name, type == SL_METRIC_COUNTER ? "counter" : "gauge");
    sl_buf_printf(out, "# HELP %.*s %s\n", len, name, help);
}

void sl_metrics_write_sample(sl_buf *out, const char *name, const char *const *labels, uint64_t value)
{
    sl_buf_append_cstr(out, name);
    append_labels(out, labels);
    sl_buf_printf(out, " %llu\n", (unsigned long long)value);
}

static int by_name_and_labels(const void *a, const void *b)
{
    const cell *x = *(cell *const *)a, *y = *(cell *const *)b;
    int names = strcmp(x->name, y->name);
    return names ? names : strcmp(x->labels, y->labels);
}

static void write_sorted(sl_buf *out, cell *const *sorted, size_t count)
{
    for (size_t i = 0; i < count;) {
        const cell *first = sorted[i];
        if (i == 0 || strcmp(sorted[i - 1]->name, first->name) != 0)
            sl_metrics_write_family(out, first->type, first->name, first->help);
        uint64_t sum = 0;
        for (; i < count && by_name_and_labels(&sorted[i], &first) == 0; i++)
            sum += sl_counter_get(&sorted[i]->counter);
        sl_buf_printf(out, "%s%s %llu\n", first->name, first->labels, (unsigned long long)sum);
    }
}

void sl_metrics_write(sl_buf *out)
{
    pthread_mutex_lock(&lock);
    cell **sorted = sl_calloc(cell_count, sizeof *sorted);
    size_t count = 0;
    for (cell *c = cells; c; c = c->next)
        sorted[count++] = c;
    pthread_mutex_unlock(&lock);
    qsort(sorted, count, sizeof *sorted, by_name_and_labels);
    write_sorted(out, sorted, count);
    sl_free(sorted);
}
