/* conf_graph.c: draws pipelines with box characters. Everything it prints is a checked name or a number. */
#include "conf_graph.h"
#include "../base/units.h"
#include <stdio.h>

#define MAX_LABEL (SL_MAX_NAME * 2 + 8)

/* "apps (tail)", or "tail" where the name says no more. */
static int write_label(char label[MAX_LABEL], const sl_plugin_use *use)
{
    if (strcmp(use->name, use->plugin->name) == 0) return snprintf(label, MAX_LABEL, "%s", use->name);
    return snprintf(label, MAX_LABEL, "%s (%s)", use->name, use->plugin->name);
}

/* Width of the column of inputs. */
static int input_width(const sl_pipeline_conf *pipeline)
{
    int width = 0;
    for (size_t i = 0; i < pipeline->inputs.count; i++) {
        char label[MAX_LABEL];
        int len = write_label(label, pipeline->inputs.items[i]);
        width = len > width ? len : width;
    }
    return width;
}

static void write_inputs(const sl_pipeline_conf *pipeline, int width, sl_buf *out)
{
    for (size_t i = 0; i < pipeline->inputs.count; i++) {
        char label[MAX_LABEL];
        write_label(label, pipeline->inputs.items[i]);
        sl_buf_printf(out, "  %-*s  ─%s\n", width, label, i == 0 ? "┐" : "┤");
    }
}

static void write_journal(const sl_journal_conf *buffer, sl_buf *out)
{
    static const char *const when_full[] = {"then inputs wait", "then the oldest are dropped",
                                            "then the newest are dropped"};
    sl_buf_append_cstr(out, buffer->type == SL_JOURNAL_DISK ? "journal on disk: " : "journal in memory: ");
    sl_size_format(out, buffer->max_size);
    if (buffer->type == SL_JOURNAL_DISK && buffer->fsync == SL_FSYNC_INTERVAL) {
        sl_buf_append_cstr(out, ", fsync every ");
        sl_duration_format(out, buffer->fsync_interval_ns);
    } else if (buffer->type == SL_JOURNAL_DISK) {
        sl_buf_append_cstr(out, buffer->fsync == SL_FSYNC_BATCH ? ", fsync after each batch" : ", no fsync");
    }
    if (buffer->max_age_ns) {
        sl_buf_append_cstr(out, ", kept for ");
        sl_duration_format(out, buffer->max_age_ns);
    }
    sl_buf_printf(out, ", %s", when_full[buffer->when_full]);
}

static void write_pipeline(const sl_pipeline_conf *pipeline, sl_buf *out)
{
    int width = input_width(pipeline), indent = width + 5;
    char label[MAX_LABEL];
    sl_buf_printf(out, "pipeline %s\n", pipeline->name);
    write_inputs(pipeline, width, out);
    for (size_t i = 0; i < pipeline->filters.count; i++) {
        write_label(label, pipeline->filters.items[i]);
        sl_buf_printf(out, "%*s├─ %s\n", indent, "", label);
    }
    sl_buf_printf(out, "%*s├─ ", indent, "");
    write_journal(&pipeline->buffer, out);
    sl_buf_append_char(out, '\n');
    for (size_t i = 0; i < pipeline->outputs.count; i++) {
        write_label(label, pipeline->outputs.items[i]);
        sl_buf_printf(out, "%*s%s─> %s\n", indent, "", i + 1 < pipeline->outputs.count ? "├" : "└", label);
    }
}

void sl_conf_graph_write(const sl_config *config, sl_buf *out)
{
    for (size_t i = 0; i < config->n_pipelines; i++) {
        if (i) sl_buf_append_char(out, '\n');
        write_pipeline(&config->pipelines[i], out);
    }
}
