/* es_fixture.h: the Elasticsearch output's configuration from YAML, as the agent reads it. Included by one .c
 * of a program. */
#ifndef SLUICE_ES_FIXTURE_H
#define SLUICE_ES_FIXTURE_H

#include "../../../plugins/outputs/elasticsearch/es_int.h"
#include "check_main.h"
#include "config/options.h"
#include <stdio.h>

extern const sl_plugin sl_output_elasticsearch;

typedef struct es_fixture {
    es_conf conf;
    char said[2048]; /* what is wrong with it */
    sl_arena tree;
    sl_conf_memory *memory;
} es_fixture;

/* True when the configuration is right. es_fixture_end() is due in any case. */
static inline bool es_fixture_read(es_fixture *f, const char *yaml)
{
    *f = (es_fixture){0};
    f->memory = sl_conf_memory_new();
    sl_problems *problems = sl_problems_new();
    sl_problems_add_source(problems, "t.yaml", sl_span_of(yaml));
    sl_node *node = sl_yaml_parse(&f->tree, "t.yaml", sl_span_of(yaml), true, problems);
    ck_assert_msg(node != NULL, "%s", yaml);
    sl_option_context ctx = {problems, f->memory};
    sl_option_target target = {sl_output_elasticsearch.options, &f->conf};
    sl_options_read(&ctx, node, (sl_mark){"t.yaml", 1, 1, 0, 0}, "output `elasticsearch`", &target, 1);
    sl_err err = SL_ERR_NONE;
    int rc = sl_problems_errors(problems) ? -1 : sl_output_elasticsearch.check(&f->conf, &err);
    sl_buf out = SL_BUF_NONE;
    sl_problems_print(problems, &out);
    snprintf(f->said, sizeof f->said, "%s%s", sl_buf_cstr(&out), err.text);
    sl_buf_release(&out);
    sl_problems_free(problems);
    return rc == 0;
}

static inline void es_fixture_end(es_fixture *f)
{
    sl_output_elasticsearch.conf_release(&f->conf);
    sl_conf_memory_free(f->memory);
    sl_arena_release(&f->tree);
}

/* ␤ for a newline and ␉ for a tab, which golden files cannot hold. In place. */
static inline char *es_unescape(char *text)
{
    char *out = text;
    for (const char *at = text; *at;) {
        bool newline = strncmp(at, "␤", 3) == 0, tab = strncmp(at, "␉", 3) == 0;
        *out++ = newline ? '\n' : tab ? '\t' : *at;
        at += newline || tab ? 3 : 1;
    }
    *out = '\0';
    return text;
}

#endif
