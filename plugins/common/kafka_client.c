/* kafka_client.c: a client of librdkafka on a loop of ours.
 *
 * The queue writes to the eventfd when it becomes non-empty, and not again before it was emptied: so it is
 * served until it is empty, or the eventfd is written here.
 */
#include "kafka_client.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>

#define MAX_EVENTS_A_TURN  64 /* then the loop sees to its other events */
#define CONNECT_TIMEOUT_MS 10000

struct kafka_client {
    kafka_client_conf conf;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int fd; /* eventfd: there is something in the queue */
    sl_poll *poll;
    const char *token_file; /* NULL: none */
    kafka_msk *msk;         /* NULL: none */
    sl_log_limit limits[SL_LOG_ERROR + 1];
    void (*released)(void *arg);
    void *released_arg;
};

/* ---- events ---- */

static sl_log_level level_of(int syslog_level)
{
    if (syslog_level <= 3) return SL_LOG_ERROR;
    if (syslog_level == 4) return SL_LOG_WARN;
    return syslog_level <= 6 ? SL_LOG_INFO : SL_LOG_DEBUG;
}

/* librdkafka keeps passwords out of its lines, and record contents as well. */
static void log_event(kafka_client *client, rd_kafka_event_t *event)
{
    const char *facility = NULL, *text = NULL;
    int syslog_level = 0;
    if (rd_kafka_event_log(event, &facility, &text, &syslog_level) != 0) return;
    sl_log_level level = level_of(syslog_level);
    sl_log_limited(&client->limits[level], level, client->conf.name, "librdkafka: %s: %s", facility, text);
}

static void error_event(kafka_client *client, rd_kafka_event_t *event)
{
    char fatal[SL_ERR_TEXT_MAX];
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    /* A producer is told that there is a fatal error, a consumer which one. */
    rd_kafka_resp_err_t fatal_code = rd_kafka_fatal_error(client->rk, fatal, sizeof fatal);
    bool is_fatal = fatal_code && (code == RD_KAFKA_RESP_ERR__FATAL || code == fatal_code);
    if (is_fatal) {
        code = fatal_code;
        text = fatal;
    }
    client->conf.error(client->conf.arg, code, is_fatal, text);
}

static void stats_event(kafka_client *client, rd_kafka_event_t *event)
{
    if (client->conf.stats) kafka_stats_read(client->conf.stats, sl_span_of(rd_kafka_event_stats(event)));
}

static void refresh_token(kafka_client *client)
{
    if (client->msk)
        kafka_msk_refresh(client->msk);
    else
        kafka_token_refresh(client->rk, client->token_file);
}

static void serve_event(kafka_client *client, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_LOG: log_event(client, event); break;
    case RD_KAFKA_EVENT_ERROR: error_event(client, event); break;
    case RD_KAFKA_EVENT_STATS: stats_event(client, event); break;
    case RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH: refresh_token(client); break;
    default: client->conf.event(client->conf.arg, event); break;
    }
}

static void on_readable(void *arg, int events)
{
    (void)events;
    kafka_client *client = arg;
    eventfd_t count;
    eventfd_read(client->fd, &count); /* before the queue is looked at: nothing is missed */
    int served = 0;
    rd_kafka_event_t *event = NULL;
    while (served < MAX_EVENTS_A_TURN && (event = rd_kafka_queue_poll(client->queue, 0))) {
        serve_event(client, event);
        rd_kafka_event_destroy(event);
        served++;
    }
    if (event) eventfd_write(client->fd, 1); /* there may be more */
    if (served && client->conf.served) client->conf.served(client->conf.arg);
}

/* ---- begin ---- */

/* Where librdkafka fetches tokens by itself a thread of its own does it, not the loop. */
static int serve_tokens(rd_kafka_t *rk, sl_err *err)
{
    rd_kafka_queue_t *tokens = rd_kafka_queue_get_sasl(rk);
    if (!tokens) return 0; /* no mechanism that has any */
    rd_kafka_queue_destroy(tokens);
    rd_kafka_error_t *error = rd_kafka_sasl_background_callbacks_enable(rk);
    if (!error) return 0;
    sl_err_set(err, SL_E_CONFIG, "cannot fetch tokens in the background: %s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return SL_E_CONFIG;
}

static rd_kafka_queue_t *queue_of(rd_kafka_t *rk, rd_kafka_type_t type)
{
    if (type == RD_KAFKA_PRODUCER) return rd_kafka_queue_get_main(rk);
    rd_kafka_poll_set_consumer(rk);
    return rd_kafka_queue_get_consumer(rk);
}

static int start_polling(kafka_client *client, sl_err *err)
{
    static const eventfd_t one = 1;
    client->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client->fd < 0) return sl_err_sys(err, errno, "cannot make an eventfd");
    client->poll = sl_poll_new(client->conf.loop, client->fd, on_readable, client);
    if (!client->poll) return sl_err_set(err, SL_E_IO, "cannot poll an eventfd");
    client->queue = queue_of(client->rk, client->conf.type);
    rd_kafka_queue_io_event_enable(client->queue, client->fd, &one, sizeof one);
    rd_kafka_set_log_queue(client->rk, client->conf.type == RD_KAFKA_PRODUCER ? NULL : client->queue);
    sl_poll_start(client->poll, SL_READABLE);
    eventfd_write(client->fd, 1); /* what came before */
    return 0;
}

static rd_kafka_t *make(rd_kafka_conf_t *rk_conf, rd_kafka_type_t type, sl_err *err)
{
    char reason[SL_ERR_TEXT_MAX / 2] = "";
    rd_kafka_t *rk = rd_kafka_new(type, rk_conf, reason, sizeof reason);
    if (rk) return rk;
    rd_kafka_conf_destroy(rk_conf);
    sl_err_set(err, SL_E_CONFIG, "cannot make a client of librdkafka: %s", reason);
    return NULL;
}

static bool is_msk(const kafka_conf *cluster)
{
    return cluster->sasl.mechanism == KAFKA_SASL_AWS_MSK_IAM;
}

static bool has_tokens(const kafka_conf *cluster)
{
    return is_msk(cluster) || kafka_conf_token_file(cluster);
}

kafka_client *kafka_client_new(rd_kafka_conf_t *rk_conf, const kafka_client_conf *conf, sl_err *err)
{
    sl_assert_on(conf->loop);
    int events = conf->events | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS;
    if (has_tokens(conf->cluster))
        events |= RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH;
    else
        rd_kafka_conf_enable_sasl_queue(rk_conf, 1);
    rd_kafka_conf_set_events(rk_conf, events);
    int rc = kafka_conf_set(rk_conf, "rdkafka", "log.queue", "true", err);
    if (rc < 0) {
        rd_kafka_conf_destroy(rk_conf);
        return NULL;
    }
    kafka_client *client = sl_calloc(1, sizeof *client);
    client->conf = *conf;
    client->fd = -1;
    client->token_file = kafka_conf_token_file(conf->cluster);
    client->rk = make(rk_conf, conf->type, err);
    if (client->rk && is_msk(conf->cluster))
        client->msk = kafka_msk_new(conf->loop, &conf->cluster->sasl.aws, client->rk);
    if (client->rk && serve_tokens(client->rk, err) == 0 && start_polling(client, err) == 0) return client;
    kafka_client_close(client, INT64_MAX, NULL, NULL);
    return NULL;
}

rd_kafka_t *kafka_client_handle(const kafka_client *client)
{
    return client->rk;
}

void kafka_client_poll(kafka_client *client)
{
    eventfd_write(client->fd, 1);
}

/* ---- end ---- */

static void *destroy(void *arg)
{
    kafka_client *client = arg;
    if (client->rk) rd_kafka_destroy(client->rk);
    if (client->fd >= 0) sl_fs_close(client->fd);
    if (client->released) client->released(client->released_arg);
    sl_free(client);
    return NULL;
}

static void wait_for(pthread_t thread, int64_t patience_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME,
                  &until); /* a clock that is set meanwhile changes the wait, and nothing else */
    int64_t seconds = patience_ns / SL_NS_PER_S;
    if (seconds > 3600) seconds = 3600;
    until.tv_sec += seconds;
    until.tv_nsec += patience_ns % SL_NS_PER_S;
    if (until.tv_nsec >= SL_NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= SL_NS_PER_S;
    }
    if (pthread_timedjoin_np(thread, NULL, &until) != 0) pthread_detach(thread);
}

void kafka_client_close(kafka_client *client, int64_t patience_ns, void (*released)(void *arg), void *arg)
{
    sl_poll_free(client->poll);
    kafka_msk_free(client->msk);
    if (client->queue) {
        rd_kafka_queue_io_event_enable(client->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(client->queue);
    }
    client->released = released;
    client->released_arg = arg;
    pthread_t thread;
    if (pthread_create(&thread, NULL, destroy, client) == 0)
        wait_for(thread, patience_ns);
    else
        destroy(client);
}

/* ---- trying the brokers ---- */

typedef struct last_words {
    char text[SL_ERR_TEXT_MAX / 2];
} last_words;

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    last_words *last = opaque;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) snprintf(last->text, sizeof last->text, "%s", reason);
}

static void no_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    (void)rk;
    (void)level;
    (void)fac;
    (void)text;
}

/* The token is given before anybody asks; librdkafka wants to know that there is somebody to ask. */
static void ask_for_no_token(rd_kafka_t *rk, const char *config, void *opaque)
{
    (void)rk;
    (void)config;
    (void)opaque;
}

/* What the topic's metadata say against it. A topic that is not there yet may be made by the first record. */
static int check_topic(const struct rd_kafka_metadata *metadata, sl_err *err)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        if (topic->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            return sl_err_set(err, SL_E_ACCESS, "topic %s: %s", topic->topic, rd_kafka_err2str(topic->err));
    }
    return 0;
}

static int ask(rd_kafka_t *rk, const char *topic, last_words *last, sl_err *err)
{
    rd_kafka_topic_t *rkt = topic ? rd_kafka_topic_new(rk, topic, NULL) : NULL;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, rkt, &metadata, CONNECT_TIMEOUT_MS);
    rd_kafka_poll(rk, 0); /* on_error */
    int rc;
    if (code) {
        rc = sl_err_set(err, SL_E_NETWORK, "no broker told about the cluster within %d s: %s",
                        CONNECT_TIMEOUT_MS / 1000, last->text[0] ? last->text : rd_kafka_err2str(code));
    } else {
        rc = check_topic(metadata, err);
        rd_kafka_metadata_destroy(metadata);
    }
    if (rkt) rd_kafka_topic_destroy(rkt);
    return rc;
}

int kafka_connect(rd_kafka_conf_t *rk_conf, const kafka_conf *cluster, const char *topic, sl_err *err)
{
    last_words last = {""};
    rd_kafka_conf_set_log_cb(rk_conf, no_log);
    rd_kafka_conf_set_error_cb(rk_conf, on_error);
    rd_kafka_conf_set_opaque(rk_conf, &last);
    if (has_tokens(cluster)) rd_kafka_conf_set_oauthbearer_token_refresh_cb(rk_conf, ask_for_no_token);
    int rc = kafka_conf_set(rk_conf, "rdkafka", "allow.auto.create.topics", "false", err);
    if (rc < 0) {
        rd_kafka_conf_destroy(rk_conf);
        return rc;
    }
    rd_kafka_t *rk = make(rk_conf, RD_KAFKA_PRODUCER, err);
    if (!rk) return SL_E_CONFIG;
    if (kafka_conf_token_file(cluster)) kafka_token_refresh(rk, kafka_conf_token_file(cluster));
    if (is_msk(cluster)) rc = kafka_msk_log_in(&cluster->sasl.aws, rk, err);
    if (rc == 0) rc = ask(rk, topic, &last, err);
    rd_kafka_destroy(rk);
    return rc;
}
