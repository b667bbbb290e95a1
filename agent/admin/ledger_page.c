/* ledger_page.c: the ledgers as JSON and as metrics. The counters are read one after another while others may
 * write: sums can be off by what moves in between, never by what stands still. */
#include "admin.h"
#include "base/metrics.h"
#include <sluice/json.h>

static uint64_t output_sum(const sl_output_ledger *o)
{
    return sl_ledger_get(&o->filtered) + sl_ledger_get(&o->delivered) + sl_ledger_get(&o->buffered) +
           sl_ledger_get(&o->in_flight) + sl_ledger_get(&o->dead_lettered) + sl_drops_total(&o->dropped);
}

static bool is_balanced(const sl_pipeline *pipeline)
{
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    uint64_t in = sl_ledger_get(&p->received) + sl_ledger_get(&p->recovered);
    uint64_t journaled = sl_ledger_get(&p->journaled);
    uint64_t out = sl_ledger_get(&p->filtered) + sl_ledger_get(&p->dead_lettered) +
                   sl_drops_total(&p->dropped) + sl_ledger_get(&p->on_the_way) + journaled;
    if (in != out) return false;
    for (unsigned i = 0; i < sl_pipeline_output_count(pipeline); i++) {
        if (output_sum(sl_pipeline_output_ledger(pipeline, i)) != journaled) return false;
    }
    return true;
}

static void write_number(sl_buf *out, const char *name, uint64_t value)
{
    sl_buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void write_drops(sl_buf *out, const sl_drops *drops)
{
    sl_buf_append_cstr(out, ",\"dropped\":{");
    bool first = true;
    for (unsigned i = 0; i < SL_LEDGER_REASONS; i++) {
        const char *reason = __atomic_load_n(&drops->reason[i], __ATOMIC_ACQUIRE);
        if (!reason) break;
        sl_buf_printf(out, "%s\"%s\":%llu", first ? "" : ",", reason,
                      (unsigned long long)sl_ledger_get(&drops->count[i]));
        first = false;
    }
    sl_buf_append_char(out, '}');
}

static void write_output(sl_buf *out, const char *name, const sl_output_ledger *o)
{
    sl_buf_append_cstr(out, "{\"name\":");
    sl_json_write_string(out, sl_span_of(name));
    write_number(out, "delivered", sl_ledger_get(&o->delivered));
    write_number(out, "filtered", sl_ledger_get(&o->filtered));
    write_number(out, "buffered", sl_ledger_get(&o->buffered));
    write_number(out, "in_flight", sl_ledger_get(&o->in_flight));
    write_number(out, "dead_lettered", sl_ledger_get(&o->dead_lettered));
    write_number(out, "retries", sl_ledger_get(&o->retries));
    write_drops(out, &o->dropped);
    sl_buf_append_char(out, '}');
}

static void write_pipeline(sl_buf *out, const sl_pipeline *pipeline)
{
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    sl_buf_append_cstr(out, "{\"name\":");
    sl_json_write_string(out, sl_span_of(sl_pipeline_name(pipeline)));
    write_number(out, "received", sl_ledger_get(&p->received));
    write_number(out, "received_bytes", sl_ledger_get(&p->received_bytes));
    write_number(out, "recovered", sl_ledger_get(&p->recovered));
    write_number(out, "filtered", sl_ledger_get(&p->filtered));
    write_number(out, "dead_lettered", sl_ledger_get(&p->dead_lettered));
    write_number(out, "on_the_way", sl_ledger_get(&p->on_the_way));
    write_number(out, "journaled", sl_ledger_get(&p->journaled));
    write_drops(out, &p->dropped);
    sl_buf_printf(out, ",\"balanced\":%s,\"outputs\":[", is_balanced(pipeline) ? "true" : "false");
    for (unsigned i = 0; i < sl_pipeline_output_count(pipeline); i++) {
        if (i) sl_buf_append_char(out, ',');
        write_output(out, sl_pipeline_output_name(pipeline, i), sl_pipeline_output_ledger(pipeline, i));
    }
    sl_buf_append_cstr(out, "]}");
}

void sl_admin_write_ledger(sl_buf *out, sl_pipeline *const *pipelines, unsigned count)
{
    sl_buf_append_cstr(out, "{\"pipelines\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i) sl_buf_append_char(out, ',');
        write_pipeline(out, pipelines[i]);
    }
    sl_buf_append_cstr(out, "]}");
}

/* ---- metrics ---- */

typedef struct ledger_row {
    sl_metric_type type;
    const char *name;
    const char *help;
    size_t offset;
} ledger_row;

#define PIPELINE_ROW(kind, field, metric, text)                                                              \
    {                                                                                                        \
        SL_METRIC_##kind, "sluice_pipeline_" metric, text, offsetof(sl_pipeline_ledger, field)               \
    }
#define OUTPUT_ROW(kind, field, metric, text)                                                                \
    {                                                                                                        \
        SL_METRIC_##kind, "sluice_output_" metric, text, offsetof(sl_output_ledger, field)                   \
    }

static const ledger_row pipeline_rows[] = {
    PIPELINE_ROW(COUNTER, received, "received_records_total", "Records that the inputs read or gave up."),
    PIPELINE_ROW(COUNTER, received_bytes, "received_bytes_total", "Bytes of the records read."),
    PIPELINE_ROW(COUNTER, recovered, "recovered_records_total", "Records the journal still held at start."),
    PIPELINE_ROW(COUNTER, filtered, "filtered_records_total", "Records that filters were asked to take out."),
    PIPELINE_ROW(COUNTER, dead_lettered, "dead_lettered_records_total",
                 "Records that filters dead-lettered."),
    PIPELINE_ROW(COUNTER, journaled, "journaled_records_total",
                 "Records appended to the journal, and recovered."),
    PIPELINE_ROW(GAUGE, on_the_way, "on_the_way_records", "Records read and not yet in the journal."),
};

static const ledger_row output_rows[] = {
    OUTPUT_ROW(COUNTER, delivered, "delivered_records_total", "Records that the other side has confirmed."),
    OUTPUT_ROW(COUNTER, delivered_bytes, "delivered_bytes_total", "Bytes of the records delivered."),
    OUTPUT_ROW(COUNTER, filtered, "filtered_records_total", "Records that `when` kept from this output."),
    OUTPUT_ROW(COUNTER, dead_lettered, "dead_lettered_records_total", "Records written to the dead letters."),
    OUTPUT_ROW(COUNTER, retries, "retried_requests_total", "Requests sent again."),
    OUTPUT_ROW(GAUGE, buffered, "buffered_records", "Records in the journal, not yet taken for a request."),
    OUTPUT_ROW(GAUGE, in_flight, "in_flight_records", "Records taken, without a final verdict."),
};

static uint64_t at_offset(const void *ledger, size_t offset)
{
    return sl_ledger_get((const uint64_t *)(const void *)((const char *)ledger + offset));
}

static void write_drop_samples(sl_buf *out, const char *name, const char *pipeline, const char *output,
                               const sl_drops *drops)
{
    for (unsigned i = 0; i < SL_LEDGER_REASONS; i++) {
        const char *reason = __atomic_load_n(&drops->reason[i], __ATOMIC_ACQUIRE);
        if (!reason) break;
        const char *labels[] = {"pipeline", pipeline, "reason", reason, output ? "output" : NULL,
                                output,     NULL};
        sl_metrics_write_sample(out, name, labels, sl_ledger_get(&drops->count[i]));
    }
}

static void write_pipeline_metrics(sl_buf *out, sl_pipeline *const *pipelines, unsigned count)
{
    for (size_t r = 0; r < SL_LEN(pipeline_rows); r++) {
        const ledger_row *row = &pipeline_rows[r];
        sl_metrics_write_family(out, row->type, row->name, row->help);
        for (unsigned i = 0; i < count; i++) {
            const char *labels[] = {"pipeline", sl_pipeline_name(pipelines[i]), NULL};
            sl_metrics_write_sample(out, row->name, labels,
                                    at_offset(sl_pipeline_ledger_of(pipelines[i]), row->offset));
        }
    }
    const char *name = "sluice_pipeline_dropped_records_total";
    sl_metrics_write_family(out, SL_METRIC_COUNTER, name, "Records lost by policy or damage, by reason.");
    for (unsigned i = 0; i < count; i++)
        write_drop_samples(out, name, sl_pipeline_name(pipelines[i]), NULL,
                           &sl_pipeline_ledger_of(pipelines[i])->dropped);
}

static void write_output_row(sl_buf *out, const ledger_row *row, const sl_pipeline *pipeline)
{
    for (unsigned o = 0; o < sl_pipeline_output_count(pipeline); o++) {
        const char *labels[] = {"pipeline", sl_pipeline_name(pipeline), "output",
                                sl_pipeline_output_name(pipeline, o), NULL};
        sl_metrics_write_sample(out, row->name, labels,
                                at_offset(sl_pipeline_output_ledger(pipeline, o), row->offset));
    }
}

static void write_output_metrics(sl_buf *out, sl_pipeline *const *pipelines, unsigned count)
{
    for (size_t r = 0; r < SL_LEN(output_rows); r++) {
        const ledger_row *row = &output_rows[r];
        sl_metrics_write_family(out, row->type, row->name, row->help);
        for (unsigned i = 0; i < count; i++)
            write_output_row(out, row, pipelines[i]);
    }
    const char *name = "sluice_output_dropped_records_total";
    sl_metrics_write_family(out, SL_METRIC_COUNTER, name, "Records lost by policy or damage, by reason.");
    for (unsigned i = 0; i < count; i++) {
        for (unsigned o = 0; o < sl_pipeline_output_count(pipelines[i]); o++)
            write_drop_samples(out, name, sl_pipeline_name(pipelines[i]),
                               sl_pipeline_output_name(pipelines[i], o),
                               &sl_pipeline_output_ledger(pipelines[i], o)->dropped);
    }
}

void sl_admin_write_ledger_metrics(sl_buf *out, sl_pipeline *const *pipelines, unsigned count)
{
    write_pipeline_metrics(out, pipelines, count);
    write_output_metrics(out, pipelines, count);
}
