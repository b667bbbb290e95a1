/* option_expression.c: values with a grammar of their own: paths, templates, conditions, regular expressions.
 */
#include "options_int.h"
#include <sluice/record.h>
#include <stdio.h>

/* A parser's error reads "column N: what is wrong": the column moves the mark, the rest is the message. */
static void refuse_expression(const sl_option__input *in, const sl_err *err)
{
    sl_mark mark = in->node->mark;
    const char *what = err->text;
    unsigned column = 0;
    int used = 0;
    if (sscanf(err->text, "column %u: %n", &column, &used) == 1 && used > 0) {
        what += used;
        if (!in->node->substituted && mark.line == mark.end_line && column > 0) {
            uint32_t shift = in->node->quoted ? 1 : 0;
            for (size_t i = 0; i + 1 < column && i < in->text.len; i++)
                shift += ((unsigned char)in->text.ptr[i] & 0xC0) != 0x80;
            mark.column += shift;
            mark.end_line = 0;
        }
    }
    char hint[160];
    snprintf(hint, sizeof hint, "%s looks like `%s`", sl_option__noun(in->row), sl_option_example(in->row));
    sl_buf shown = SL_BUF_NONE;
    sl_option__write_shown(in, &shown);
    if (in->node->substituted)
        sl_problems_error(in->ctx->problems, mark, hint, "`%s` must be %s, not " SL_SPAN_FMT, in->row->name,
                          sl_option__noun(in->row), SL_SPAN_ARG(shown));
    else
        sl_problems_error(in->ctx->problems, mark, hint, "`%s`: %s", in->row->name, what);
    sl_buf_release(&shown);
}

/* Keeps a parsed expression, or says why it could not be parsed. */
static void keep(const sl_option__input *in, void *parsed, void (*release)(void *), const sl_err *err,
                 void *field)
{
    if (!parsed) {
        refuse_expression(in, err);
        return;
    }
    sl_conf_memory_own(in->ctx->memory, parsed, release);
    *(void **)field = parsed;
}

static void free_path(void *path)
{
    sl_path_free(path);
}

static void free_template(void *tpl)
{
    sl_template_free(tpl);
}

static void free_condition(void *cond)
{
    sl_condition_free(cond);
}

static void free_regex(void *regex)
{
    sl_regex_free(regex);
}

void sl_option__read_path(const sl_option__input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_path_parse(in->text, &err), free_path, &err, field);
}

void sl_option__read_template(const sl_option__input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_template_parse(in->text, &err), free_template, &err, field);
}

void sl_option__read_condition(const sl_option__input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_condition_parse(in->text, &err), free_condition, &err, field);
}

void sl_option__read_regex(const sl_option__input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_regex_parse(in->text, &err), free_regex, &err, field);
}
