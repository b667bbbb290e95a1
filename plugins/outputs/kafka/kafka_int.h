/* kafka_int.h: the Kafka output as its parts see it. One loop: the output's.
 *
 *   send() -> request -> message by message into a producer -> reports -> verdict -> sl_request_done()
 *
 * A record is delivered when its delivery report says so, and at no other time. librdkafka keeps pointers
 * into a request's body until the last of its messages has its report; so a request is done then, and not
 * before, whatever happens to the producer.
 *
 * There are two producers: the usual one, and one that puts each message into a batch of its own. Brokers
 * judge batches: one message that is too large, or whose time is out of range, has all those beside it
 * refused (Kafka's KIP-467). A request that met this is sent again through the second producer, where only
 * the record that is the cause is refused. It is made when it is needed first, and costs nothing before.
 */
#ifndef KAFKA_INT_H
#define KAFKA_INT_H

#include "../../common/kafka_client.h"

#define KAFKA_MAX_TOPIC  249  /* bytes of a topic's name; Kafka's own limit */
#define KAFKA_MAX_TOPICS 4096 /* that one producer has sent to: a name from a record can't fill the memory */

typedef enum kafka_acks { KAFKA_ACKS_ALL, KAFKA_ACKS_LEADER } kafka_acks;
typedef enum kafka_format { KAFKA_FORMAT_RECORD, KAFKA_FORMAT_FIELD } kafka_format;

typedef struct kafka_header_template {
    char *name;
    sl_template *value;
} kafka_header_template;

typedef struct kafka_output_conf {
    kafka_conf cluster;
    sl_template *topic;
    sl_template *key;     /* NULL: none */
    sl_span partition_by; /* "key", "random", or a template */
    sl_list headers;      /* of sl_opt_pair: name and template */
    sl_span id_header;    /* empty: none */
    int format;           /* kafka_format */
    sl_path *field;
    sl_condition *tombstone; /* NULL: never */
    int acks;                /* kafka_acks */
    bool idempotence;
    int compress;
    int64_t compress_level; /* 0: the codec's own default */
    int64_t linger_ns, message_timeout_ns;
    uint64_t memory, max_message;
    /* Derived by check(). */
    char topic_name[KAFKA_MAX_TOPIC + 1]; /* empty: it differs from record to record */
    sl_template *partition_template;      /* NULL: by key, or random */
    kafka_header_template *header_templates;
    size_t header_count;
    uint64_t flight_bytes; /* what surely fits into one batch */
} kafka_output_conf;

/* ---- kafka_output_conf.c ---- */

extern const sl_option kafka_output_options[];
int kafka_output_check(void *conf, sl_err *err);
void kafka_output_conf_release(void *conf);
/* librdkafka's configuration; alone: of the producer that sends each message by itself. NULL with err. */
rd_kafka_conf_t *kafka_output_rd_conf(const kafka_output_conf *conf, bool alone, sl_err *err);
/* Kafka's rules for names of topics. */
bool kafka_topic_is_valid(sl_span name);

/* ---- kafka_verdict.c: what an error means for a record ---- */

typedef enum kafka_fate {
    KAFKA_DELIVERED,
    KAFKA_AGAIN,  /* passes, or a person mends it */
    KAFKA_ALONE,  /* its batch was refused: again, in a batch of its own */
    KAFKA_REFUSED /* this record will never be taken */
} kafka_fate;

/* Pure. alone: the message was the only one of its batch, or was refused before it was in one. topic_fixed:
 * all records go to one topic. */
kafka_fate kafka_fate_of(rd_kafka_resp_err_t code, bool alone, bool topic_fixed);
bool kafka_is_unknown_topic(rd_kafka_resp_err_t code);

/* ---- kafka_request.c ---- */

struct kafka_producer;
struct kafka_output;

typedef struct kafka_message {
    struct kafka_request *request;
    uint32_t index;         /* of the record in its request */
    uint32_t partition_len; /* of the text that picks the partition, */
    const char *partition;  /* in the request's arena; NULL: none */
} kafka_message;

/* A request on its way. What librdkafka has a pointer to is in it. */
typedef struct kafka_request {
    struct kafka_request *next, *prev; /* in the producer's `waiting` or `sent` */
    sl_request *req;
    struct kafka_producer *producer;
    sl_buf body; /* the values, one after another; never moves once a message points into it */
    kafka_message *messages;
    uint32_t handed; /* records that librdkafka has taken, or that were refused before it */
    uint32_t open;   /* messages without a report */
    uint32_t again, refused;
    bool alone;     /* what is to be sent again is to go alone */
    sl_arena texts; /* of partitions */
    sl_verdict verdict;
} kafka_request;

typedef struct kafka_request_list {
    kafka_request *first, *last;
} kafka_request_list;

void kafka_requests_push(kafka_request_list *list, kafka_request *request);
void kafka_requests_remove(kafka_request_list *list, kafka_request *request);
/* NULL: no memory for its body. */
kafka_request *kafka_request_new(sl_request *req);
/* What became of record i. reason: for a person. */
void kafka_request_note(kafka_request *request, uint32_t i, kafka_fate fate, const char *reason);
/* All reports are there: tells the engine, frees the request. */
void kafka_request_finish(struct kafka_output *output, kafka_request *request);
void kafka_request_free(kafka_request *request);
/* Whether records of it are to be sent each in a batch of its own. */
bool kafka_request_is_alone(const sl_request *req);

/* ---- kafka_encode.c: a record as a message ---- */

typedef struct kafka_encoder {
    const kafka_output_conf *conf;
    sl_reader reader;
    sl_buf topic, key, scratch;
} kafka_encoder;

/* What one message is made of; valid until the next one is encoded, the value as long as its request. */
typedef struct kafka_encoded {
    sl_span topic; /* empty: the fixed one */
    sl_span key;   /* ptr NULL: none */
    sl_span value; /* ptr NULL: a tombstone */
    int64_t time_ms;
    rd_kafka_headers_t *headers; /* NULL: none; the caller's */
} kafka_encoded;

void kafka_encoder_init(kafka_encoder *encoder, const kafka_output_conf *conf);
void kafka_encoder_release(kafka_encoder *encoder);
/* How many bytes all values of a request take at most. */
size_t kafka_encode_max(const sl_request *req);
/* Record i into the request's body. False: it can't be a message; reason (of SL_REASON_MAX bytes) tells why.
 */
bool kafka_encode(kafka_encoder *encoder, kafka_request *request, uint32_t i, kafka_encoded *out,
                  char *reason);

/* ---- kafka_topics.c: handles of topics by name ---- */

/* What reports have told of a topic: its handle's opaque. */
typedef struct kafka_topic_life {
    bool was_there;     /* it has taken a record */
    int64_t missing_ns; /* since when it is said not to be there; 0: it is not said */
} kafka_topic_life;

/* The handle with a life of its own; the conf is taken. NULL: librdkafka's last error tells why. */
rd_kafka_topic_t *kafka_topic_new(rd_kafka_t *rk, const char *name, rd_kafka_topic_conf_t *conf);
void kafka_topic_free(rd_kafka_topic_t *topic); /* NULL is fine */
void kafka_topic_took_record(const rd_kafka_topic_t *topic);
/* It is said not to be there: whether it may be soon. librdkafka itself has waited for a topic that it never
 * saw; one that was there it gives up at once, although brokers may be about to make it anew. */
bool kafka_topic_may_return(const rd_kafka_topic_t *topic);

typedef struct kafka_topic {
    char *name;
    size_t len;
    rd_kafka_topic_t *handle;
} kafka_topic;

typedef struct kafka_topics {
    kafka_topic *slots; /* open addressing */
    size_t cap, count;
} kafka_topics;

rd_kafka_topic_t *kafka_topics_find(const kafka_topics *topics, sl_span name); /* NULL: not yet */
/* There must be less than KAFKA_MAX_TOPICS. */
void kafka_topics_add(kafka_topics *topics, sl_span name, rd_kafka_topic_t *handle);
void kafka_topics_release(kafka_topics *topics); /* with the handles */

/* ---- kafka_producer.c ---- */

typedef struct kafka_producer {
    struct kafka_output *output;
    bool alone;
    kafka_client *client; /* NULL: none yet, or ended and not made anew */
    bool ending;          /* takes no more; ends when nothing is open, and is made anew */
    bool pumping;
    uint32_t open;              /* messages without a report */
    kafka_request_list waiting; /* not handed over whole, in order */
    kafka_request_list sent;    /* waiting for reports */
    kafka_topics topics;
    rd_kafka_topic_t *fixed; /* of conf->topic_name */
    sl_timer *timer;         /* ends the client, makes it anew; a flight takes too long */
    int64_t backoff_ns;
    struct {
        uint64_t messages, bytes; /* handed over since it began */
        uint64_t max_messages, max_bytes;
        int64_t began_ns;
    } flight; /* see kafka_producer.c */
} kafka_producer;

void kafka_producer_init(kafka_producer *producer, struct kafka_output *output, bool alone);
/* Makes the client now. 0 or an error. */
int kafka_producer_open(kafka_producer *producer, sl_err *err);
/* Takes the request; may finish it before it returns. */
void kafka_producer_send(kafka_producer *producer, kafka_request *request);
/* Ends it: reports that have not come will not be looked at. */
void kafka_producer_release(kafka_producer *producer);

/* ---- the output ---- */

typedef struct kafka_output {
    sl_output *out;
    const kafka_output_conf *conf;
    kafka_encoder encoder;
    kafka_stats *stats;
    kafka_producer usual, alone;
    sl_counter *full, *rebuilt, *batches_refused;
    sl_log_limit fatal_limit, trouble_limit;
} kafka_output;

#endif
