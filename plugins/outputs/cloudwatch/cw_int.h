/* cw_int.h: the CloudWatch Logs output as its parts see it. One loop: the output's.
 *
 * It speaks PutLogEvents of 2014-03-28 over JSON 1.1. What the service asks for is in its API reference
 * (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html, as of 2025):
 * a request is for one stream; it holds at most 10,000 events and 1,048,576 bytes, counted as the messages in
 * UTF-8 and 26 bytes an event; its events stand in order of time and span 24 hours at most; an event has 1 MB
 * at most (256 KB at older endpoints). Events that are older than 14 days or the group's retention, or more than
 * two hours ahead, are told in the answer's rejectedLogEventsInfo while the others are taken. There are no
 * sequence tokens any more, and a stream takes requests side by side.
 *
 * The engine forms requests by stream (partition()) and sorts them; encode() counts to the byte and leaves the
 * rest for the next one. So an event's place in a request is its record's, and what the answer says of the
 * one holds for the other.
 */
#ifndef CW_INT_H
#define CW_INT_H

#include "cw_answer.h"
#include <sluice/aws.h>
#include <sluice/plugin.h>

#define CW_MAX_BYTES     1048576u /* of a request, counted as above */
#define CW_EVENT_BYTES   26u      /* what an event counts besides its message */
#define CW_MAX_EVENTS    10000u
#define CW_MAX_SPAN_MS   (INT64_C(24) * 3600 * 1000)
#define CW_MAX_PAST_NS   (INT64_C(14) * 24 * 3600 * SL_NS_PER_S)
#define CW_MAX_AHEAD_NS  (INT64_C(2) * 3600 * SL_NS_PER_S)
#define CW_MAX_NAME      512  /* characters of a group's or stream's name */
#define CW_MAX_RATE      5000 /* requests a second: the default quota of an account in a region */
#define CW_MAX_AGE_NS    SL_NS_PER_S
#define CW_CONTENT_TYPE  "application/x-amz-json-1.1"
#define CW_TRUNCATED     "[Truncated...]" /* behind a message that was cut, as AWS's own agent marks it */
#define CW_TARGET_PREFIX "Logs_20140328."

enum { CW_BAD_ESCAPE, CW_BAD_REJECT };
enum { CW_MISSING_RETRY, CW_MISSING_REJECT };
enum { CW_LARGE_TRUNCATE, CW_LARGE_DEAD_LETTER };
enum { CW_CLASS_STANDARD, CW_CLASS_INFREQUENT, CW_CLASS_DELIVERY };

typedef struct cw_create_conf {
    bool group, stream;
    int64_t retention_days; /* 0: for ever */
    int log_group_class;    /* CW_CLASS_* */
    sl_list tags;           /* of sl_opt_pair */
    sl_span kms_key_id;
} cw_create_conf;

typedef struct cw_conf {
    sl_aws_conf aws;
    sl_http_conf http; /* its url is known when the credentials are */
    sl_template *group, *stream;
    bool in_order;
    int bad_names; /* CW_BAD_* */
    cw_create_conf create;
    int missing;    /* CW_MISSING_* */
    sl_path *field; /* NULL: the whole record */
    bool emf;
    uint64_t max_event_size;
    int too_large; /* CW_LARGE_* */
    int64_t max_event_age_ns;
} cw_conf;

/* ---- cw_names.c: names of groups and streams, from records ---- */

/* 1 to 512 of a-z A-Z 0-9 _ - / . #, not beginning with `aws/` (CreateLogGroup). */
bool cw_group_is_valid(sl_span name);
/* 1 to 512 characters without `:` and `*` (CreateLogStream); control characters are left out, too. */
bool cw_stream_is_valid(sl_span name);
/* Appends a valid name that looks as much like it as can be: `_` for a character that may not be there or for a
 * name without any, what is too long cut. */
void cw_group_escape(sl_span name, sl_buf *out);
void cw_stream_escape(sl_span name, sl_buf *out);

/* The key of a partition: the group's name, a NUL, the stream's; or, for records that have no such place, `!`
 * and the reason. */
typedef struct cw_places {
    const cw_conf *conf;
    int64_t granule_ns; /* the same names within it; 0: they have fields */
    int64_t granule;    /* of `key` */
    bool known;         /* `key` is one */
    sl_reader reader;
    sl_buf raw, next; /* as the templates give them, for `key` and for the record at hand */
    size_t split;     /* where the stream's begins in `raw` */
    sl_buf key;
} cw_places;

void cw_places_init(cw_places *places, const cw_conf *conf);
void cw_places_release(cw_places *places);
/* Valid until the next call. */
sl_span cw_place_of(cw_places *places, const sl_batch *batch, const sl_record *rec);
/* Takes a key apart; false: it is none, and *reason tells why. */
bool cw_place_split(sl_span key, sl_span *group, sl_span *stream, sl_span *reason);

/* ---- the output ---- */

typedef struct cw_creation cw_creation;

typedef struct cw_output {
    sl_output *out;
    const cw_conf *conf;
    sl_http_conf http; /* conf's with the URL */
    sl_span url[1];
    sl_aws *aws;
    bool preparing;          /* prepare() awaits credentials */
    int64_t clock_offset_ns; /* what the service's clock is ahead of ours, once it said that ours is wrong */
    sl_aws_headers signature;
    char target[64]; /* X-Amz-Target of the latest */
    sl_http_header headers[SL_AWS_SIGNED_HEADERS + 4];
    cw_places places;
    sl_reader reader; /* the record being encoded */
    sl_buf text;      /* its message; texts of errors */
    sl_tape tape;     /* of an answer */
    cw_creation *creations;
    sl_log_limit create_limit, clock_limit;
    sl_counter *truncated, *field_fallbacks, *groups_created, *streams_created;
} cw_output;

/* The service's time, as far as is known. */
int64_t cw_now_ns(const cw_output *cw);

/* cw_encode.c */
void cw_encode(void *self, sl_request *req);
/* cw_judge.c */
void cw_judge(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict);
/* cw_create.c: creates the place of these requests, unless that is under way already; when it is there, those
 * that wait for it are sent. group_missing: the group, too, as far as the service said. */
void cw_create(cw_output *cw, sl_span key, bool group_missing);
void cw_create_release(cw_output *cw);
/* cw_auth.c */
extern const sl_aws_service cw_service;
void cw_auth_start(cw_output *cw);
void cw_auth_release(cw_output *cw);
void cw_prepare(void *self);
bool cw_headers(void *self, const sl_outgoing *out, const sl_http_header **headers, size_t *count);
/* The service refused a signature: its clock tells whether ours is to blame. True: it was, and is corrected. */
bool cw_correct_clock(cw_output *cw, const sl_answer *answer);
/* cw_connect.c: asks for one group, which changes nothing. */
int cw_connect(const void *conf, sl_err *err);

#endif
