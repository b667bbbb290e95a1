/* es_int.h: the Elasticsearch output as its parts see it. One loop: the output's.
 *
 * It speaks the bulk API of Elasticsearch 7 and later and OpenSearch 1 and later
 * (https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk). Document types are gone since
 * Elasticsearch 7: `_type` is never sent.
 *
 * A record's `_id` is its id (16 bytes) in base64url without padding, 22 characters: Elasticsearch stores ids
 * of this form as the 16 bytes they stand for, where 32 hexadecimal digits would take 24. `sluice deadletter`
 * shows the same id in hexadecimal. With `create`, 409 says that the record is there already: it was
 * delivered.
 */
#ifndef ES_INT_H
#define ES_INT_H

#include "es_bulk_answer.h"
#include <sluice/plugin.h>

#define ES_MAX_INDEX_NAME 255 /* bytes; Elasticsearch's own limit */
#define ES_MAX_ID         512 /* bytes; Elasticsearch's own limit */

typedef enum es_action { ES_CREATE, ES_INDEX, ES_UPDATE } es_action;

typedef struct es_install_conf {
    sl_span name;          /* of policy and template */
    sl_span template_file; /* empty: none */
    sl_span policy_file;   /* empty: none */
    bool overwrite;
    sl_buf template, policy; /* what the files hold; read by check() */
} es_install_conf;

typedef struct es_conf {
    sl_http_conf http;
    sl_span cloud_id;
    sl_template *index;
    bool index_written;
    sl_span index_fallback;
    sl_template *data_stream; /* NULL: an index */
    int action;
    sl_template *id;       /* NULL: the record's own */
    sl_template *pipeline; /* NULL: none */
    sl_template *routing;  /* NULL: none */
    es_install_conf install;
    /* Derived by check(). */
    sl_span cloud_url[1];
} es_conf;

/* ---- es_cloud_id.c ---- */

/* "name:base64(host[:port]$elasticsearch_id$…)" to "https://elasticsearch_id.host:port", which the caller
 * frees. NULL: it is none. */
char *es_cloud_id_url(sl_span cloud_id);

/* ---- es_index.c: the name of the index that a record goes to ---- */

/* Elasticsearch's rules for names of indices and data streams. */
bool es_index_is_valid(sl_span name);

/* Appends the text of a template that is constant. */
void es_constant_write(const sl_template *tpl, sl_buf *out);

typedef struct es_index {
    const sl_template *tpl;
    sl_span fallback;
    bool constant;      /* the same for every record */
    int64_t granule_ns; /* no fields: one name for this span of time; 0: names differ within a millisecond */
    int64_t cached_granule;
    bool cached;
    sl_buf name;
    bool name_ok; /* what is in `name` has been checked and is right */
    sl_buf next;
    sl_counter *fallbacks;
} es_index;

void es_index_init(es_index *index, const es_conf *conf, sl_counter *fallbacks);
void es_index_release(es_index *index);
/* The name for the reader's record; valid until the next call. A name that cannot be made (a field is
 * missing) or is not allowed is the fallback, counted. */
sl_span es_index_name(es_index *index, sl_reader *reader);

/* ---- the output ---- */

typedef enum es_product { ES_UNKNOWN, ES_ELASTICSEARCH, ES_OPENSEARCH } es_product;

typedef struct es_server {
    es_product product;
    int major, minor;
} es_server;

typedef struct es_output {
    sl_output *out;
    const es_conf *conf;
    es_index index;
    sl_reader reader; /* the record being encoded */
    sl_buf value, text;
    sl_tape tape; /* to check texts of answers */
    es_server server;
    unsigned step; /* of the preparation */
    sl_counter *id_fallbacks, *conflicts;
} es_output;

/* es_encode.c */
void es_encode(void *self, sl_request *req);
/* es_judge.c */
void es_judge(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict);
/* es_setup.c */
void es_prepare(void *self);
/* What GET / tells. False: it is not what Elasticsearch or OpenSearch would say. */
bool es_server_read(sl_span body, es_server *server);

#endif
