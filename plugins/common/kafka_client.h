/* kafka_client.h: what the Kafka output and the Kafka input share: the options of a cluster, librdkafka's
 * configuration made of them, and a client whose events are served on a loop.
 *
 * librdkafka (2.0 or later, https://github.com/confluentinc/librdkafka/blob/v2.0.2/INTRODUCTION.md) has
 * threads of its own: one a client, one a broker. None of them calls anything of ours, but for a partitioner:
 * what they have to tell waits in the client's queue, an eventfd wakes the loop, and everything is dealt with
 * there, in order. Its properties: https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md
 *
 * A configuration comes about in this order: kafka_conf_new(), kafka_conf_set() for what the plugin's own
 * options say, kafka_conf_add_free() for the `rdkafka:` map, kafka_conf_try(). The plugin does so in check(),
 * so that all that librdkafka would refuse is said there, and again for each client.
 */
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <sluice/aws.h>
#include <sluice/plugin.h>

/* ---- options ---- */

typedef enum kafka_mechanism {
    KAFKA_SASL_NONE,
    KAFKA_SASL_PLAIN,
    KAFKA_SASL_SCRAM_SHA_256,
    KAFKA_SASL_SCRAM_SHA_512,
    KAFKA_SASL_OAUTHBEARER,
    KAFKA_SASL_GSSAPI,
    KAFKA_SASL_AWS_MSK_IAM,
} kafka_mechanism;

typedef struct kafka_sasl_conf {
    int mechanism;                           /* kafka_mechanism */
    sl_span username, password;              /* plain, scram */
    sl_span token_file;                      /* oauthbearer */
    sl_span service_name, principal, keytab; /* gssapi */
    sl_aws_conf aws;                         /* aws-msk-iam */
} kafka_sasl_conf;

typedef struct kafka_tls_conf {
    bool enabled;
    sl_tls_conf files; /* verify, ca, cert, key, key_password */
} kafka_tls_conf;

typedef struct kafka_conf {
    sl_list brokers; /* of sl_span: host or host:port */
    sl_span client_id;
    bool tls_written;
    kafka_tls_conf tls;
    kafka_sasl_conf sasl;
    int64_t statistics_ns; /* -1: off */
    sl_list rdkafka;       /* of sl_opt_pair: any property of librdkafka */
} kafka_conf;

/* The rows of kafka_conf, for SL_OPT_INLINE_TABLE(). */
extern const sl_option kafka_options[];

/* ---- librdkafka's configuration ---- */

/* A property that may not stand under `rdkafka:`, and what to do instead: "use option `acks`". */
typedef struct kafka_owned {
    const char *property, *instead;
} kafka_owned;

/* What kafka_options say, as properties. NULL with err (SL_E_CONFIG, "option `…`: …", never with a secret).
 * The caller's, to be given to kafka_client_new() or rd_kafka_conf_destroy(). */
rd_kafka_conf_t *kafka_conf_new(const kafka_conf *conf, sl_err *err);
/* One property, on behalf of an option. 0 or SL_E_CONFIG with librdkafka's reason. */
int kafka_conf_set(rd_kafka_conf_t *rk_conf, const char *option, const char *property, const char *value,
                   sl_err *err);
int kafka_conf_set_u64(rd_kafka_conf_t *rk_conf, const char *option, const char *property, uint64_t value,
                       sl_err *err);
/* The `rdkafka:` map. What the plugin's own options set (`owned`, ended by an empty row) or those of
 * kafka_options do is refused with its reason, as is what librdkafka refuses. */
int kafka_conf_add_free(rd_kafka_conf_t *rk_conf, const kafka_conf *conf, const kafka_owned *owned,
                        sl_err *err);
/* Whether librdkafka would make a client of it: properties that exclude each other, certificates and keys
 * that can't be used. Makes one that knows no broker, and ends it: nothing goes over the network. */
int kafka_conf_try(const rd_kafka_conf_t *rk_conf, const kafka_conf *conf, rd_kafka_type_t type, sl_err *err);

/* ---- metrics ---- */

/* Makes a metric of the plugin; label and value may be NULL. owner: its sl_output or sl_input. */
typedef sl_counter *kafka_counter_fn(void *owner, const char *name, const char *help, const char *label,
                                     const char *value);

/* librdkafka's statistics
 * (https://github.com/confluentinc/librdkafka/blob/v2.0.2/STATISTICS.md) as metrics: messages and bytes that
 * wait or are under way, and for each broker its state, round-trip time, requests waiting and failed. */
typedef struct kafka_stats kafka_stats;

#define KAFKA_STATS_MAX_BROKERS 256 /* more are counted in brokers_up, but have no metrics of their own */

kafka_stats *kafka_stats_new(kafka_counter_fn *counter, void *owner);
void kafka_stats_free(kafka_stats *stats); /* NULL is fine; the metrics stay */
/* One report. False: it is none, and nothing is changed. On the loop that owns the metrics. */
bool kafka_stats_read(kafka_stats *stats, sl_span json);
uint64_t kafka_stats_brokers_up(const kafka_stats *stats); /* as the last report said */

/* ---- a client ---- */

typedef struct kafka_client kafka_client;

typedef struct kafka_client_conf {
    rd_kafka_type_t type;
    sl_loop *loop;
    const char *name; /* for the log; outlives the client */
    int events;       /* RD_KAFKA_EVENT_* that `event` gets; those for log, errors and statistics are added */
    const kafka_conf *cluster; /* says where tokens come from; outlives the client */
    kafka_stats *stats;        /* outlives the client; NULL: statistics are not looked at */
    /* One event, valid during the call. Must not close the client. */
    void (*event)(void *arg, rd_kafka_event_t *event);
    /* Optional: some events were dealt with and what they held is given back: a full queue has room again. */
    void (*served)(void *arg);
    /* What librdkafka has to say about brokers and itself; it is in the log already unless it is fatal. After
     * a fatal error this client does no more than tell what became of what it had. Must not close the client.
     */
    void (*error)(void *arg, rd_kafka_resp_err_t code, bool fatal, const char *text);
    void *arg;
} kafka_client_conf;

/* Makes the client; rk_conf is taken in any case. On its loop, as everything below. NULL with err. */
kafka_client *kafka_client_new(rd_kafka_conf_t *rk_conf, const kafka_client_conf *conf, sl_err *err);
rd_kafka_t *kafka_client_handle(const kafka_client *client); /* lives as long as the client */
/* Has the queue looked at though nothing came: a consumer must do so within `max.poll.interval.ms`. */
void kafka_client_poll(kafka_client *client);
/* Ends the client: no event comes after it. librdkafka's threads may be stuck for seconds (resolving a name),
 * so a thread of its own waits for them; when the last is gone, released(arg) is called on that thread:
 * memory that messages point into may be freed there. Waits for that for at most `patience_ns`; then it goes
 * on by itself. */
void kafka_client_close(kafka_client *client, int64_t patience_ns, void (*released)(void *arg), void *arg);

/* For `sluice check --connect`: asks the brokers for their list, and for `topic` (NULL: none) whether it may
 * be seen; makes no topic. rk_conf is taken. 0 or an error that tells what the last broker said. */
int kafka_connect(rd_kafka_conf_t *rk_conf, const kafka_conf *cluster, const char *topic, sl_err *err);

/* ---- tokens of SASL/OAUTHBEARER: where librdkafka has none by itself ---- */

/* The file that conf names; NULL: none. */
const char *kafka_conf_token_file(const kafka_conf *conf);
/* Reads the token for this client, or tells it why there is none. */
void kafka_token_refresh(rd_kafka_t *rk, const char *path);

/* Those of Amazon MSK, made of AWS's credentials. On one loop. */
typedef struct kafka_msk kafka_msk;
kafka_msk *kafka_msk_new(sl_loop *loop, const sl_aws_conf *conf, rd_kafka_t *rk);
void kafka_msk_free(kafka_msk *msk); /* NULL is fine; before the client is ended */
/* librdkafka asks for a token: it is given one as soon as there are credentials. */
void kafka_msk_refresh(kafka_msk *msk);
/* Gives a client its first token, on a loop of its own; waits up to ten seconds for credentials. */
int kafka_msk_log_in(const sl_aws_conf *conf, rd_kafka_t *rk, sl_err *err);
/* The token itself, appended; a secret. */
void kafka_msk_token(sl_aws *aws, int64_t now_ns, sl_buf *out);

#endif
