/* aws_probe OPTION=VALUE...: credentials and signatures as an output for AWS has them, for a test to talk to.
 *
 * Prints a line for each change: "ready ID SOURCE REGION" or "error CODE TEXT". Reads lines: "send PATH" signs a POST
 * of `{}` to the service and prints "answer STATUS BODY" or "answer - ERROR"; "expired" is what a plugin says after
 * the service did; at the end of its input it ends.
 */
#include "net/http_client.h"
#include <sluice/aws.h>
#include <stdio.h>
#include <stdlib.h>

static const sl_aws_service service = {.name = "logs", .host = "logs", .gov_is_fips = true};

typedef struct probe {
    sl_aws_conf conf;
    sl_http_conf http;
    sl_span url;
    sl_loop *loop;
    sl_aws *aws;
    sl_http_client *client; /* made when the URL is known */
    const char *path;       /* of the command under way */
    sl_aws_headers headers;
} probe;

/* ---- options ---- */

static const struct {
    const char *name;
    size_t offset; /* of an sl_span */
} spans[] = {
    {"region", offsetof(sl_aws_conf, region)},
    {"endpoint", offsetof(sl_aws_conf, endpoint)},
    {"sts_endpoint", offsetof(sl_aws_conf, sts_endpoint)},
    {"access_key_id", offsetof(sl_aws_conf, access_key_id)},
    {"secret_access_key", offsetof(sl_aws_conf, secret_access_key)},
    {"session_token", offsetof(sl_aws_conf, session_token)},
    {"profile", offsetof(sl_aws_conf, profile)},
    {"role_arn", offsetof(sl_aws_conf, assume_role.role_arn)},
    {"external_id", offsetof(sl_aws_conf, assume_role.external_id)},
    {"session_name", offsetof(sl_aws_conf, assume_role.session_name)},
};

static void set_option(sl_aws_conf *conf, const char *text)
{
    const char *value = strchr(text, '=');
    for (size_t i = 0; value && i < SL_LEN(spans); i++) {
        if (strncmp(text, spans[i].name, (size_t)(value - text)) != 0 || spans[i].name[value - text])
            continue;
        *(sl_span *)(void *)((char *)conf + spans[i].offset) = sl_span_of(value + 1);
        return;
    }
    fprintf(stderr, "aws_probe: no option %s\n", text);
    exit(2);
}

/* ---- on the loop ---- */

static void on_changed(void *arg)
{
    probe *p = arg;
    sl_err err = SL_ERR_NONE;
    int rc = sl_aws_ready(p->aws, &err);
    if (rc < 0) {
        printf("error %s %s\n", sl_err_name(rc), err.text);
        return;
    }
    const sl_aws_credentials *c = sl_aws_credentials_get(p->aws);
    sl_span region = sl_aws_region(p->aws);
    printf("ready " SL_SPAN_FMT " %s " SL_SPAN_FMT "\n", SL_SPAN_ARG(c->access_key_id), c->source,
           SL_SPAN_ARG(region));
    if (p->client) return;
    p->url = sl_aws_url(p->aws);
    p->http.url = (sl_list){&p->url, 1};
    p->client = sl_http_client_new(p->loop, &p->http);
}

static void on_answer(void *arg, const sl_answer *answer)
{
    (void)arg;
    if (answer->transport == SL_TRANSPORT_OK)
        printf("answer %d " SL_SPAN_FMT "\n", answer->status, SL_SPAN_ARG(answer->body));
    else
        printf("answer - %s\n", answer->error);
}

static void send_request(void *arg)
{
    probe *p = arg;
    static const sl_http_header signed_too[] = {{"Content-Type", SL_SPAN("application/x-amz-json-1.1")},
                                                {"X-Amz-Target", SL_SPAN("Logs_20140328.PutLogEvents")}};
    if (!p->client || sl_aws_ready(p->aws, NULL) < 0) {
        printf("answer - not ready\n");
        return;
    }
    sl_aws_request req = {.method = "POST",
                          .path = sl_span_of(p->path),
                          .headers = signed_too,
                          .header_count = SL_LEN(signed_too),
                          .body = SL_SPAN("{}")};
    sl_aws_sign(p->aws, &req, sl_clock_wall_ns(), &p->headers);
    sl_http_header all[SL_AWS_SIGNED_HEADERS + 1] = {signed_too[1]};
    memcpy(all + 1, p->headers.items, p->headers.count * sizeof all[0]);
    sl_http_client_send(p->client, &(sl_http_send){.method = req.method,
                                                   .path = req.path,
                                                   .content_type = "application/x-amz-json-1.1",
                                                   .headers = all,
                                                   .header_count = p->headers.count + 1,
                                                   .body = req.body,
                                                   .answered = on_answer,
                                                   .arg = p});
}

static void tell_expired(void *arg)
{
    sl_aws_expired(((probe *)arg)->aws);
}

static void begin(void *arg)
{
    probe *p = arg;
    p->aws = sl_aws_new(p->loop, &p->conf, &service, &p->http, on_changed, p);
}

static void end(void *arg)
{
    probe *p = arg;
    sl_http_client_free(p->client);
    sl_aws_free(p->aws);
}

/* ---- commands ---- */

static void obey(probe *p, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "send ", 5) == 0) {
        p->path = line + 5;
        sl_loop_call_wait(p->loop, send_request, p);
    } else if (strcmp(line, "expired") == 0) {
        sl_loop_call_wait(p->loop, tell_expired, p);
    } else {
        printf("no command %s\n", line);
    }
}

int main(int argc, char **argv)
{
    probe p = {.http = {.tls.verify = true,
                        .timeout_ns = 5 * SL_NS_PER_S,
                        .connect_timeout_ns = 5 * SL_NS_PER_S,
                        .max_answer = 65536}};
    for (int i = 1; i < argc; i++)
        set_option(&p.conf, argv[i]);
    sl_err err = SL_ERR_NONE;
    if (sl_aws_conf_check(&p.conf, &err) < 0) {
        fprintf(stderr, "aws_probe: %s\n", err.text);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    p.loop = sl_loop_new("aws");
    sl_loop_call_wait(p.loop, begin, &p);
    char line[1024];
    while (fgets(line, sizeof line, stdin))
        obey(&p, line);
    sl_loop_call_wait(p.loop, end, &p);
    sl_loop_free(p.loop);
    sl_aws_headers_release(&p.headers);
    return 0;
}
