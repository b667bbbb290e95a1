/* es_fixture.h: the Elasticsearch output's configuration from YAML, as the agent reads it. Included by one .c
 * of a program. */
#ifndef SLUICE_ES_FIXTURE_H
#define SLUICE_ES_FIXTURE_H

#include "../../../plugins/outputs/elasticsearch/es_int.h"
#include "check_main.h"
#include "plugin_conf.h"
#include <stdio.h>

extern const sl_plugin sl_output_elasticsearch;

typedef struct es_fixture {
    es_conf conf;
    char said[2048 + SL_ERR_TEXT_MAX]; /* what is wrong with it */
    sl_test_conf read;
} es_fixture;

/* True when the configuration is right. es_fixture_end() is due in any case. */
static inline bool es_fixture_read(es_fixture *f, const char *yaml)
{
    *f = (es_fixture){0};
    sl_err err = SL_ERR_NONE;
    bool right = sl_test_conf_read(&f->read, "output `elasticsearch`", sl_output_elasticsearch.options,
                                   &f->conf, yaml);
    int rc = right ? sl_output_elasticsearch.check(&f->conf, &err) : -1;
    snprintf(f->said, sizeof f->said, "%s%s", f->read.said, err.text);
    return rc == 0;
}

static inline void es_fixture_end(es_fixture *f)
{
    sl_output_elasticsearch.conf_release(&f->conf);
    sl_test_conf_end(&f->read);
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
