#include "redact_run.h"

#include "../../plugins/filters/redact/redact_int.h"
#include "config/options.h"

#include <sluice/plugin.h>

#include <stdio.h>

extern const sl_plugin sl_filter_redact;

struct redact_run {
    sl_conf_memory *memory;
    redact_conf conf;
    redact *core;
    sl_tape tape;
    sl_buf out;
};

static bool read_options(redact_run *run, const char *text, char *error, size_t size)
{
    sl_problems *problems = sl_problems_new();
    sl_option_context ctx = {problems, run->memory};
    sl_option_target target = {sl_filter_redact.options, &run->conf};

    sl_problems_add_source(problems, "test", sl_span_of(text));
    sl_node *node = sl_yaml_parse(&run->memory->arena, "test", sl_span_of(text), false, problems);
    if (node) sl_options_read(&ctx, node, node->mark, "filter `redact`", &target, 1);
    bool ok = sl_problems_errors(problems) == 0;
    if (!ok) {
        sl_buf out = SL_BUF_NONE;
        sl_problems_print(problems, &out);
        snprintf(error, size, "%s", sl_buf_cstr(&out));
        sl_buf_release(&out);
    }
    sl_problems_free(problems);
    return ok;
}

redact_run *redact_run_new(const char *options, const char **error)
{
    static char text[2048];
    sl_err err = SL_ERR_NONE;
    redact_run *run = sl_calloc(1, sizeof *run);

    *error = text;
    run->memory = sl_conf_memory_new();
    if (read_options(run, options, text, sizeof text)) {
        if (sl_filter_redact.check(&run->conf, &err) == 0) run->core = redact_new(run->conf.rules, &err);
        if (!run->core) snprintf(text, sizeof text, "%s", err.text);
    }
    if (run->core) return run;
    redact_run_free(run);
    return NULL;
}

void redact_run_free(redact_run *run)
{
    redact_free(run->core);
    sl_filter_redact.conf_release(&run->conf);
    sl_conf_memory_free(run->memory);
    sl_tape_release(&run->tape);
    sl_buf_release(&run->out);
    sl_free(run);
}

sl_span redact_run_text(redact_run *run, sl_span json, bool *changed)
{
    run->tape.len = 0;
    if (sl_json_index(&run->tape, json).error != SL_JSON_OK)
        sl_bug("no JSON: " SL_SPAN_FMT, SL_SPAN_ARG(json));
    const redact_edits *edits = redact_text(run->core, json, run->tape.tok, run->tape.len);
    if (!edits) sl_bug("out of memory");
    for (uint32_t i = 1; i < edits->count; i++) {
        if (edits->items[i].off < edits->items[i - 1].off + edits->items[i - 1].len)
            sl_bug("edits overlap in " SL_SPAN_FMT, SL_SPAN_ARG(json));
    }
    *changed = edits->count > 0;
    sl_buf_clear(&run->out);
    if (redact_edits_apply(edits, json, &run->out) != 0) sl_bug("out of memory");
    return sl_buf_span(&run->out);
}

uint64_t redact_run_count(const redact_run *run, const char *label)
{
    uint64_t count = UINT64_MAX;

    for (uint32_t i = 0; i < run->conf.rules->count; i++) {
        if (strcmp(run->conf.rules->rule[i].label, label) != 0) continue;
        count = (count == UINT64_MAX ? 0 : count) + run->core->counts[i];
    }
    return count;
}

static void write_normal_string(sl_span spelling, sl_buf *out)
{
    char *plain = sl_alloc(spelling.len + 1);
    size_t len = sl_json_unescape(spelling, plain);

    sl_json_write_string(out, (sl_span){plain, len});
    sl_free(plain);
}

/* Text between strings without its space. */
static void write_rest(sl_span text, sl_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr(" \t\r\n", text.ptr[i])) sl_buf_append_char(out, text.ptr[i]);
    }
}

bool sl_test_json_normal(sl_span json, sl_buf *out)
{
    sl_tape tape = {0};
    size_t at = 0;
    bool ok = sl_json_index(&tape, json).error == SL_JSON_OK;

    sl_buf_clear(out);
    for (uint32_t i = 0; ok && i < tape.len; i++) {
        const sl_token *tok = &tape.tok[i];
        if (tok->type != SL_JSON_STRING) continue;
        write_rest((sl_span){json.ptr + at, tok->off - 1 - at}, out);
        write_normal_string((sl_span){json.ptr + tok->off, tok->len}, out);
        at = tok->off + tok->len + 1;
    }
    if (ok) write_rest((sl_span){json.ptr + at, json.len - at}, out);
    sl_tape_release(&tape);
    return ok;
}
