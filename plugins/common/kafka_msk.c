/* kafka_msk.c: logging in to Amazon MSK by IAM.
 *
 * The brokers take SASL/OAUTHBEARER; the token is the URL of a request to `kafka-cluster:Connect`, signed by
 * its query and good for 15 minutes, in base64url without padding. The brokers make the request themselves to
 * learn who it is. https://github.com/aws/aws-msk-iam-sasl-signer-python shows the form.
 */
#include "kafka_client.h"
#include <stdio.h>
#include <unistd.h>

#define LIFE_S          900
#define CONNECT_WAIT_MS 10000

static const sl_aws_service service = {.name = "kafka-cluster", .host = "kafka"};
static const sl_http_conf http = {.tls = {.verify = true}};

struct kafka_msk {
    sl_aws *aws;
    rd_kafka_t *rk;
    bool wanted; /* librdkafka waits for a token */
};

/* ---- the token ---- */

static void to_base64url(sl_span bytes, sl_buf *out)
{
    sl_buf_append_base64(out, bytes);
    while (out->len && out->ptr[out->len - 1] == '=')
        out->len--;
    for (size_t i = 0; i < out->len; i++) {
        if (out->ptr[i] == '+') out->ptr[i] = '-';
        if (out->ptr[i] == '/') out->ptr[i] = '_';
    }
}

void kafka_msk_token(sl_aws *aws, int64_t now_ns, sl_buf *out)
{
    sl_buf url = SL_BUF_NONE;
    sl_aws_presign(aws, SL_SPAN("/?Action=kafka-cluster%3AConnect"), LIFE_S, now_ns, &url);
    sl_buf_append_cstr(&url, "&User-Agent=sluice");
    to_base64url(sl_buf_span(&url), out);
    sl_wipe(url.ptr, url.len);
    sl_buf_release(&url);
}

/* It ends with the credentials where these end sooner. */
static int64_t end_of(const sl_aws *aws, int64_t now_ns)
{
    int64_t end = now_ns + LIFE_S * SL_NS_PER_S;
    int64_t credentials_end = sl_aws_credentials_get(aws)->expires_ns;
    return credentials_end && credentials_end < end ? credentials_end : end;
}

static void set_token(kafka_msk *msk)
{
    char reason[SL_ERR_TEXT_MAX / 2];
    int64_t now = sl_clock_wall_ns();
    sl_buf token = SL_BUF_NONE;
    kafka_msk_token(msk->aws, now, &token);
    rd_kafka_resp_err_t code =
        rd_kafka_oauthbearer_set_token(msk->rk, sl_buf_cstr(&token), end_of(msk->aws, now) / SL_NS_PER_MS, "",
                                       NULL, 0, reason, sizeof reason);
    if (code) rd_kafka_oauthbearer_set_token_failure(msk->rk, reason);
    sl_wipe(token.ptr, token.len);
    sl_buf_release(&token);
    msk->wanted = false;
}

static void try_to_set(kafka_msk *msk)
{
    sl_err err = SL_ERR_NONE;
    int rc = sl_aws_ready(msk->aws, &err);
    if (rc == 0)
        set_token(msk);
    else if (rc != SL_E_AGAIN)
        rd_kafka_oauthbearer_set_token_failure(msk->rk, err.text);
}

void kafka_msk_refresh(kafka_msk *msk)
{
    msk->wanted = true;
    try_to_set(msk);
}

/* ---- life ---- */

static void on_changed(void *arg)
{
    kafka_msk *msk = arg;
    if (msk->wanted) try_to_set(msk);
}

kafka_msk *kafka_msk_new(sl_loop *loop, const sl_aws_conf *conf, rd_kafka_t *rk)
{
    kafka_msk *msk = sl_calloc(1, sizeof *msk);
    msk->rk = rk;
    msk->aws = sl_aws_new(loop, conf, &service, &http, on_changed, msk);
    return msk;
}

void kafka_msk_free(kafka_msk *msk)
{
    if (!msk) return;
    sl_aws_free(msk->aws);
    sl_free(msk);
}

/* ---- without a loop of the caller's ---- */

typedef struct attempt {
    sl_loop *loop;
    const sl_aws_conf *conf;
    rd_kafka_t *rk;
    kafka_msk *msk;
    int rc;
    sl_err *err;
} attempt;

static void begin(void *arg)
{
    attempt *a = arg;
    a->msk = kafka_msk_new(a->loop, a->conf, a->rk);
}

static void look(void *arg)
{
    attempt *a = arg;
    a->rc = sl_aws_ready(a->msk->aws, a->err);
    if (a->rc == 0) set_token(a->msk);
}

static void end(void *arg)
{
    kafka_msk_free(((attempt *)arg)->msk);
}

int kafka_msk_log_in(const sl_aws_conf *conf, rd_kafka_t *rk, sl_err *err)
{
    attempt a = {.loop = sl_loop_new("msk"), .conf = conf, .rk = rk, .rc = SL_E_AGAIN, .err = err};
    sl_loop_call_wait(a.loop, begin, &a);
    for (int ms = 0; a.rc == SL_E_AGAIN && ms < CONNECT_WAIT_MS; ms += 20) {
        sl_loop_call_wait(a.loop, look, &a);
        if (a.rc == SL_E_AGAIN) usleep(20000);
    }
    sl_loop_call_wait(a.loop, end, &a);
    sl_loop_free(a.loop);
    if (a.rc == SL_E_AGAIN)
        return sl_err_set(err, SL_E_TIMEOUT, "no credentials of AWS within %d s", CONNECT_WAIT_MS / 1000);
    return a.rc;
}
