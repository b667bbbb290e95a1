#include "../../../plugins/common/kafka_client.h"
#include "kafka_mock.h"
#include <pthread.h>
#include <unistd.h>

/* A client on a loop: its errors, and the tokens of OAUTHBEARER. */

typedef struct scene {
    sl_loop *loop;
    kafka_client *client;
    kafka_conf cluster;
    pthread_mutex_t lock;
    char text[512]; /* the latest error */
} scene;

static void on_event(void *arg, rd_kafka_event_t *event)
{
    (void)arg;
    (void)event;
}

static void on_error(void *arg, rd_kafka_resp_err_t code, bool fatal, const char *text)
{
    scene *s = arg;
    ck_assert(!fatal);
    pthread_mutex_lock(&s->lock);
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) snprintf(s->text, sizeof s->text, "%s", text);
    pthread_mutex_unlock(&s->lock);
}

static void make(void *arg)
{
    scene *s = arg;
    rd_kafka_conf_t *rk_conf = rd_kafka_conf_new();
    kafka_mock_set(rk_conf, "bootstrap.servers", "127.0.0.1:1");
    kafka_mock_set(rk_conf, "security.protocol", "sasl_plaintext");
    kafka_mock_set(rk_conf, "sasl.mechanisms", "OAUTHBEARER");
    kafka_client_conf conf = {.type = RD_KAFKA_PRODUCER,
                              .loop = s->loop,
                              .name = "test",
                              .cluster = &s->cluster,
                              .event = on_event,
                              .error = on_error,
                              .arg = s};
    sl_err err = SL_ERR_NONE;
    s->client = kafka_client_new(rk_conf, &conf, &err);
    ck_assert_msg(s->client != NULL, "%s", err.text);
}

static void released(void *arg)
{
    *(bool *)arg = true;
}

static void end(void *arg)
{
    scene *s = arg;
    bool was_released = false;
    kafka_client_close(s->client, 10 * SL_NS_PER_S, released, &was_released);
    ck_assert(was_released);
}

/* "" when nothing is said within half a second. */
static const char *said_of(scene *s)
{
    static char text[512];
    s->loop = sl_loop_new("test");
    pthread_mutex_init(&s->lock, NULL);
    sl_loop_call_wait(s->loop, make, s);
    text[0] = '\0';
    for (int i = 0; i < 500 && !text[0]; i++) {
        usleep(1000);
        pthread_mutex_lock(&s->lock);
        snprintf(text, sizeof text, "%s", s->text);
        pthread_mutex_unlock(&s->lock);
    }
    sl_loop_call_wait(s->loop, end, s);
    sl_loop_free(s->loop);
    pthread_mutex_destroy(&s->lock);
    return text;
}

/* What is said about the token in the file. */
static const char *said(scene *s, const char *token)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/token", sl_test_dir());
    if (token) ck_assert_int_eq(sl_fs_write_file(path, token, strlen(token), 0600), 0);
    *s = (scene){.cluster.sasl = {.mechanism = KAFKA_SASL_OAUTHBEARER, .token_file = sl_span_of(path)}};
    return said_of(s);
}

/* {"alg":"none"} . claims . signature */
#define JWT(claims) "eyJhbGciOiJub25lIn0." claims ".c2ln\n"
#define EXP_2099    "eyJzdWIiOiJzbHVpY2UiLCJleHAiOjQwNzA5MDg4MDB9" /* {"sub":"sluice","exp":4070908800} */
#define EXP_2001    "eyJzdWIiOiJzbHVpY2UiLCJleHAiOjk3ODMwNzIwMH0"  /* {"sub":"sluice","exp":978307200} */

START_TEST(kafka_token__is_read_from_its_file)
{
    static scene s;
    ck_assert_str_eq(said(&s, JWT(EXP_2099)), "");
    ck_assert_str_eq(said(&s, "no-jwt-at-all"), "");
    ck_assert_str_eq(said(&s, JWT("!")), ""); /* no claims: it is tried as it is */
}
END_TEST

START_TEST(kafka_token__what_is_wrong_with_it_is_said)
{
    static scene s;
    const char *expired = said(&s, JWT(EXP_2001));
    ck_assert_msg(strstr(expired, "can't be used") && strstr(expired, "unexpired"), "%s", expired);
    ck_assert_msg(!strstr(expired, EXP_2001), "the token is shown: %s", expired);
    const char *missing = said(&s, NULL);
    ck_assert_msg(strstr(missing, "cannot read the token in ") != NULL, "%s", missing);
}
END_TEST

/* ---- Amazon MSK ---- */

static const sl_aws_conf keys = {.region = {"eu-west-1", 9},
                                 .credentials = SL_AWS_OPTIONS,
                                 .access_key_id = {"AKIDEXAMPLE", 11},
                                 .secret_access_key = {"hunter2hunter2", 14}};

START_TEST(kafka_msk__logs_in_when_there_are_credentials)
{
    static scene s;
    s = (scene){.cluster.sasl = {.mechanism = KAFKA_SASL_AWS_MSK_IAM, .aws = keys}};
    ck_assert_str_eq(said_of(&s), "");
    rd_kafka_conf_t *rk_conf = rd_kafka_conf_new();
    kafka_mock_set(rk_conf, "security.protocol", "sasl_plaintext");
    kafka_mock_set(rk_conf, "sasl.mechanisms", "OAUTHBEARER");
    rd_kafka_conf_set_events(rk_conf, RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH);
    rd_kafka_t *rk = kafka_mock_client(RD_KAFKA_PRODUCER, rk_conf);
    sl_err err = SL_ERR_NONE;
    ck_assert_msg(kafka_msk_log_in(&keys, rk, &err) == 0, "%s", err.text);
    rd_kafka_destroy(rk);
}
END_TEST

START_TEST(kafka_msk__says_why_there_are_no_credentials)
{
    static scene s;
    unsetenv("AWS_ACCESS_KEY_ID");
    s = (scene){.cluster.sasl = {.mechanism = KAFKA_SASL_AWS_MSK_IAM, .aws = keys}};
    s.cluster.sasl.aws.credentials = SL_AWS_ENVIRONMENT;
    const char *text = said_of(&s);
    ck_assert_msg(strstr(text, "AWS_ACCESS_KEY_ID") != NULL, "%s", text);
}
END_TEST

typedef struct maker {
    sl_loop *loop;
    sl_aws *aws;
    sl_buf token;
    bool made;
} maker;

static const sl_aws_service msk_service = {.name = "kafka-cluster", .host = "kafka"};
static const sl_http_conf msk_http = {.tls.verify = true};

static void on_changed(void *arg)
{
    maker *m = arg;
    if (m->made || sl_aws_ready(m->aws, NULL) != 0) return;
    kafka_msk_token(m->aws, INT64_C(1714566896) * SL_NS_PER_S, &m->token);
    m->made = true;
}

static void make_aws(void *arg)
{
    maker *m = arg;
    m->aws = sl_aws_new(m->loop, &keys, &msk_service, &msk_http, on_changed, m);
    on_changed(m);
}

static void free_aws(void *arg)
{
    sl_aws_free(((maker *)arg)->aws);
}

static void nothing(void *arg)
{
    (void)arg;
}

START_TEST(kafka_msk__the_token_is_a_signed_url)
{
    maker m = {.loop = sl_loop_new("test"), .token = SL_BUF_NONE};
    sl_loop_call_wait(m.loop, make_aws, &m);
    for (int i = 0; i < 1000; i++, usleep(100))
        sl_loop_call_wait(m.loop, nothing, &m);
    sl_loop_call_wait(m.loop, free_aws, &m);
    sl_loop_free(m.loop);
    ck_assert(m.made);
    ck_assert_uint_eq(strcspn(sl_buf_cstr(&m.token), "+/="), m.token.len);
    sl_buf url = SL_BUF_NONE;
    ck_assert(sl_buf_append_unbase64(&url, sl_buf_span(&m.token)));
    sl_span text = sl_buf_span(&url);
    ck_assert(sl_span_starts_with(text, SL_SPAN("https://kafka.eu-west-1.amazonaws.com/"
                                                "?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=")));
    ck_assert(sl_span_find(text, SL_SPAN("/20240501/"), 0) == text.len); /* encoded */
    ck_assert(sl_span_find(text, SL_SPAN("AKIDEXAMPLE%2F20240501%2Feu-west-1%2Fkafka-cluster%2F"), 0) <
              text.len);
    ck_assert(sl_span_find(text, SL_SPAN("hunter2"), 0) == text.len);
    ck_assert(sl_span_ends_with(text, SL_SPAN("&User-Agent=sluice")));
    sl_buf_release(&url);
    sl_buf_release(&m.token);
}
END_TEST

SL_TEST_MAIN("kafka_client", kafka_msk__logs_in_when_there_are_credentials,
             kafka_msk__says_why_there_are_no_credentials, kafka_msk__the_token_is_a_signed_url,
             kafka_token__is_read_from_its_file, kafka_token__what_is_wrong_with_it_is_said)
