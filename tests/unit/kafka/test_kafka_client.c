#include "../../../plugins/common/kafka_client.h"
#include "kafka_mock.h"
#include <pthread.h>
#include <unistd.h>

/* A client on a loop: its errors, and the tokens of OAUTHBEARER. */

typedef struct scene {
    sl_loop *loop;
    kafka_client *client;
    const char *token_file;
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
                              .token_file = s->token_file,
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

/* What is said about the token in the file; "" when nothing is within half a second. */
static const char *said(scene *s, const char *token)
{
    static char text[512], path[512];
    snprintf(path, sizeof path, "%s/token", sl_test_dir());
    if (token) ck_assert_int_eq(sl_fs_write_file(path, token, strlen(token), 0600), 0);
    *s = (scene){.token_file = path, .loop = sl_loop_new("test")};
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

SL_TEST_MAIN("kafka_client", kafka_token__is_read_from_its_file, kafka_token__what_is_wrong_with_it_is_said)
