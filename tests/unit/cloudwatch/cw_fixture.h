/* cw_fixture.h: the CloudWatch Logs output's configuration from YAML, as the agent reads it, requests of its
 * records, and credentials that the test plays. Included by one .c of a program; the definitions below take
 * the place of the real ones. */
#ifndef SLUICE_CW_FIXTURE_H
#define SLUICE_CW_FIXTURE_H

#include "../../../plugins/outputs/cloudwatch/cw_int.h"
#include "check_main.h"
#include "delivery/delivery_int.h"
#include "plugin_conf.h"
#include "records.h"
#include <stdio.h>

extern const sl_plugin sl_output_cloudwatch;

/* ---- credentials ---- */

static inline unsigned *cw_expirations(void)
{
    static unsigned count;
    return &count;
}

struct sl_aws {
    int unused;
};

sl_aws *sl_aws_new(sl_loop *loop, const sl_aws_conf *conf, const sl_aws_service *service,
                   const sl_http_conf *http, void (*changed)(void *arg), void *arg)
{
    (void)loop;
    (void)conf;
    (void)service;
    (void)http;
    (void)changed;
    (void)arg;
    return NULL;
}

void sl_aws_free(sl_aws *aws)
{
    (void)aws;
}

int sl_aws_ready(const sl_aws *aws, sl_err *err)
{
    (void)aws;
    (void)err;
    return 0;
}

sl_span sl_aws_url(const sl_aws *aws)
{
    (void)aws;
    return SL_SPAN("https://logs");
}

void sl_aws_expired(sl_aws *aws)
{
    (void)aws;
    ++*cw_expirations();
}

void sl_aws_sign(sl_aws *aws, const sl_aws_request *req, int64_t now_ns, sl_aws_headers *out)
{
    (void)aws;
    (void)req;
    (void)now_ns;
    out->count = 0;
}

/* ---- creation ---- */

static inline const char **cw_created(void)
{
    static const char *what;
    return &what;
}

void cw_create(cw_output *cw, sl_span key, bool group_missing)
{
    (void)cw;
    (void)key;
    *cw_created() = group_missing ? "group" : "stream";
}

void cw_create_release(cw_output *cw)
{
    (void)cw;
}

/* ---- configuration ---- */

typedef struct cw_fixture {
    cw_conf conf;
    char said[2048 + SL_ERR_TEXT_MAX]; /* what is wrong with it */
    sl_test_conf read;
    sl_output_worker worker; /* of which only its name is asked for */
    cw_output cw;
    sl_counter counters[4];
    sl_shipment_pool pool;
    sl_shipment *shipment;
} cw_fixture;

/* True when the configuration is right. cw_fixture_end() is due in any case. */
static inline bool cw_fixture_read(cw_fixture *f, const char *yaml)
{
    *f = (cw_fixture){.pool.keep_bytes = 1 << 22};
    sl_err err = SL_ERR_NONE;
    bool right =
        sl_test_conf_read(&f->read, "output `cloudwatch`", sl_output_cloudwatch.options, &f->conf, yaml);
    int rc = right ? sl_output_cloudwatch.check(&f->conf, &err) : -1;
    snprintf(f->said, sizeof f->said, "%s%s", f->read.said, err.text);
    f->worker.out.worker = &f->worker;
    f->worker.conf.name = "logs";
    f->cw = (cw_output){.out = &f->worker.out,
                        .conf = &f->conf,
                        .truncated = &f->counters[0],
                        .field_fallbacks = &f->counters[1],
                        .groups_created = &f->counters[2],
                        .streams_created = &f->counters[3]};
    if (rc == 0) cw_places_init(&f->cw.places, &f->conf);
    return rc == 0;
}

static inline void cw_fixture_end(cw_fixture *f)
{
    if (f->shipment) sl_shipment_put(&f->pool, f->shipment);
    sl_shipment_pool_clear(&f->pool);
    cw_places_release(&f->cw.places);
    sl_reader_release(&f->cw.reader);
    sl_buf_release(&f->cw.text);
    sl_tape_release(&f->cw.tape);
    sl_test_conf_end(&f->read);
}

/* ---- requests ---- */

/* All records of a sealed batch, for one stream, as the engine would give them: in order of time. */
static inline sl_request *cw_fixture_request(cw_fixture *f, const sl_batch *batch)
{
    if (f->shipment) sl_shipment_put(&f->pool, f->shipment);
    f->shipment = sl_shipment_take(&f->pool);
    sl_shipment_set_partition(f->shipment, cw_place_of(&f->cw.places, batch, &batch->recs[0]));
    for (uint32_t i = 0; i < batch->count; i++)
        sl_shipment_add(f->shipment, batch, &batch->recs[i]);
    sl_shipment_sort(f->shipment);
    return &f->shipment->req;
}

/* Why encode() refused a record; NULL: it did not. */
static inline const char *cw_fixture_refused(cw_fixture *f, uint32_t i)
{
    const sl_span *refused = f->shipment->refused;
    if (!refused || !refused[i].ptr) return NULL;
    return sl_arena_strndup(&f->shipment->arena, refused[i].ptr, refused[i].len);
}

#endif
