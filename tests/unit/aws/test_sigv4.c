/* The vectors of tests/golden/sigv4 are AWS's "Signature Version 4 Test Suite", one folder a case: req, the request
 * before it is signed; creq, the canonical request; sts, the string to sign; authz, the header. */
#include "aws/sigv4.h"
#include "check_main.h"
#include <sluice/fs.h>
#include <stdio.h>

#define FOLDER SLUICE_SOURCE_DIR "/tests/golden/sigv4"

static const int64_t suite_time_ns = INT64_C(1440938160) * SL_NS_PER_S; /* 20150830T123600Z */
#define SUITE_ID     SL_SPAN("AKIDEXAMPLE")
#define SUITE_SECRET SL_SPAN("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

/* ---- a request in a file ---- */

typedef struct request_file {
    sl_buf text;
    char method[16];
    sl_aws_request req;
    sl_span host, token;
    char names[16][64];
    sl_http_header headers[16];
} request_file;

static sl_buf read_case(const char *name, const char *part)
{
    char path[512];
    snprintf(path, sizeof path, FOLDER "/%s/%s", name, part);
    sl_buf text = SL_BUF_NONE;
    int rc = sl_fs_read_file(path, 64 * 1024, &text);
    ck_assert_msg(rc == 0, "%s: %d", path, rc);
    return text;
}

static sl_span take_line(sl_span *rest)
{
    size_t end = sl_span_find(*rest, SL_SPAN("\n"), 0);
    sl_span line = {rest->ptr, end};
    size_t skip = end < rest->len ? end + 1 : end;
    *rest = (sl_span){rest->ptr + skip, rest->len - skip};
    return line;
}

static void parse_first_line(request_file *f, sl_span line)
{
    size_t space = sl_span_find(line, SL_SPAN(" "), 0);
    snprintf(f->method, sizeof f->method, SL_SPAN_FMT, (int)space, line.ptr);
    f->req.method = f->method;
    size_t end = sl_span_find(line, SL_SPAN(" HTTP/1.1"), 0);
    f->req.path = (sl_span){line.ptr + space + 1, end - space - 1};
}

/* What the signer adds by itself is taken out; a line that begins with white space goes on. */
static void parse_header(request_file *f, sl_span line)
{
    if (line.ptr[0] == ' ') {
        sl_http_header *last = &f->headers[f->req.header_count - 1];
        last->value.len = (size_t)(line.ptr + line.len - last->value.ptr);
        return;
    }
    size_t colon = sl_span_find(line, SL_SPAN(":"), 0);
    sl_span name = {line.ptr, colon}, value = {line.ptr + colon + 1, line.len - colon - 1};
    if (sl_span_is_nocase(name, SL_SPAN("Host"))) {
        f->host = value;
    } else if (sl_span_is_nocase(name, SL_SPAN("X-Amz-Security-Token"))) {
        f->token = value;
    } else if (!sl_span_is_nocase(name, SL_SPAN("X-Amz-Date"))) {
        char *copy = f->names[f->req.header_count];
        snprintf(copy, sizeof f->names[0], SL_SPAN_FMT, SL_SPAN_ARG(name));
        f->headers[f->req.header_count++] = (sl_http_header){copy, value};
    }
}

static void read_request(request_file *f, const char *name)
{
    *f = (request_file){.text = read_case(name, "req")};
    sl_span rest = sl_buf_span(&f->text);
    parse_first_line(f, take_line(&rest));
    for (sl_span line = take_line(&rest); line.len; line = take_line(&rest))
        parse_header(f, line);
    f->req.headers = f->headers;
    f->req.body = rest;
}

/* ---- the suite ---- */

static void check_text(const char *name, const char *part, sl_buf *got)
{
    sl_buf wanted = read_case(name, part);
    ck_assert_msg(sl_span_is(sl_buf_span(got), sl_buf_span(&wanted)), "%s/%s\n---- wanted\n%s\n---- got\n%s",
                  name, part, sl_buf_cstr(&wanted), sl_buf_cstr(got));
    sl_buf_release(&wanted);
}

static void check_case(const char *name)
{
    request_file f;
    read_request(&f, name);
    sl_aws_credentials credentials = {
        .access_key_id = SUITE_ID, .secret_access_key = SUITE_SECRET, .session_token = f.token};
    sl_sigv4_scope scope = {.credentials = &credentials,
                            .region = SL_SPAN("us-east-1"),
                            .host = f.host,
                            .service = "service",
                            .now_ns = suite_time_ns};
    sl_buf creq = SL_BUF_NONE, names = SL_BUF_NONE, sts = SL_BUF_NONE, authz = SL_BUF_NONE;
    sl_sigv4_canonical_request(&scope, &f.req, &creq, &names);
    check_text(name, "creq", &creq);
    sl_sigv4_string_to_sign(&scope, sl_buf_span(&creq), &sts);
    check_text(name, "sts", &sts);
    sl_sigv4 sigv4 = {.key = {0}};
    sl_aws_headers out = {.count = 0};
    for (int i = 0; i < 2; i++) { /* with a new key, and the one that was kept */
        sl_sigv4_sign(&sigv4, &scope, &f.req, &out);
        sl_buf_clear(&authz);
        sl_buf_append_span(&authz, out.items[0].value);
        ck_assert_str_eq(out.items[0].name, "Authorization");
        check_text(name, "authz", &authz);
    }
    ck_assert_uint_eq(out.count, f.token.len ? 3 : 2);
    sl_sigv4_release(&sigv4);
    sl_aws_headers_release(&out);
    sl_buf_release(&creq);
    sl_buf_release(&names);
    sl_buf_release(&sts);
    sl_buf_release(&authz);
    sl_buf_release(&f.text);
}

START_TEST(sigv4__signs_the_suite_of_aws_as_aws_does)
{
    DIR *dir = sl_fs_opendir(FOLDER);
    ck_assert_ptr_nonnull(dir);
    int cases = 0;
    for (struct dirent *entry; (entry = sl_fs_readdir(dir));) {
        if (entry->d_name[0] < 'a') continue; /* . and .., LICENSE, NOTICE */
        check_case(entry->d_name);
        cases++;
    }
    sl_fs_closedir(dir);
    ck_assert_int_eq(cases, 32);
}
END_TEST

/* ---- the examples of the documentation ---- */

typedef struct example {
    const char *service, *host, *method, *path, *body;
    sl_http_header headers[3];
    size_t header_count;
    const char *signature;
} example;

/* IAM User Guide, "Create a signed AWS API request"; Amazon S3 API Reference, "Examples: Signature Calculations"
 * in sig-v4-header-based-auth.html. */
static const example examples[] = {
    {"iam",
     "iam.amazonaws.com",
     "GET",
     "/?Action=ListUsers&Version=2010-05-08",
     "",
     {{"Content-Type", SL_SPAN("application/x-www-form-urlencoded; charset=utf-8")}},
     1,
     "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
    {"s3",
     "examplebucket.s3.amazonaws.com",
     "GET",
     "/test.txt",
     "",
     {{"Range", SL_SPAN("bytes=0-9")}},
     1,
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"s3",
     "examplebucket.s3.amazonaws.com",
     "PUT",
     "/test%24file.text",
     "Welcome to Amazon S3.",
     {{"Date", SL_SPAN("Fri, 24 May 2013 00:00:00 GMT")},
      {"x-amz-storage-class", SL_SPAN("REDUCED_REDUNDANCY")}},
     2,
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"s3",
     "examplebucket.s3.amazonaws.com",
     "GET",
     "/?lifecycle",
     "",
     {{NULL, {NULL, 0}}},
     0,
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"s3",
     "examplebucket.s3.amazonaws.com",
     "GET",
     "/?max-keys=2&prefix=J",
     "",
     {{NULL, {NULL, 0}}},
     0,
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

START_TEST(sigv4__signs_the_examples_of_iam_and_s3)
{
    sl_sigv4 sigv4 = {.key = {0}};
    sl_aws_headers out = {.count = 0};
    for (size_t i = 0; i < SL_LEN(examples); i++) {
        const example *e = &examples[i];
        bool s3 = strcmp(e->service, "s3") == 0;
        sl_aws_credentials credentials = {
            .access_key_id = s3 ? SL_SPAN("AKIAIOSFODNN7EXAMPLE") : SUITE_ID,
            .secret_access_key = s3 ? SL_SPAN("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY") : SUITE_SECRET};
        sl_sigv4_scope scope = {.credentials = &credentials,
                                .region = SL_SPAN("us-east-1"),
                                .host = sl_span_of(e->host),
                                .service = e->service,
                                .s3 = s3,
                                .now_ns = s3 ? INT64_C(1369353600) * SL_NS_PER_S : suite_time_ns};
        sl_aws_request req = {.method = e->method,
                              .path = sl_span_of(e->path),
                              .headers = e->headers,
                              .header_count = e->header_count,
                              .body = sl_span_of(e->body)};
        sl_sigv4_sign(&sigv4, &scope, &req, &out);
        ck_assert_msg(sl_span_ends_with(out.items[0].value, sl_span_of(e->signature)), "%s: " SL_SPAN_FMT,
                      e->path, SL_SPAN_ARG(out.items[0].value));
    }
    sl_aws_headers_release(&out);
    sl_sigv4_release(&sigv4);
}
END_TEST

/* ---- what the suite does not hold ---- */

static sl_span sign_once(sl_sigv4 *sigv4, const sl_sigv4_scope *scope, const char *path, sl_aws_headers *out)
{
    sl_aws_request req = {.method = "GET", .path = sl_span_of(path)};
    sl_sigv4_sign(sigv4, scope, &req, out);
    return out->items[0].value;
}

START_TEST(sigv4__the_key_kept_is_not_used_for_another_day_region_service_or_secret)
{
    sl_aws_credentials one = {.access_key_id = SUITE_ID, .secret_access_key = SUITE_SECRET}, two = one;
    two.secret_access_key = SL_SPAN("another");
    const sl_sigv4_scope first = {.credentials = &one,
                                  .region = SL_SPAN("eu-west-1"),
                                  .host = SL_SPAN("h"),
                                  .service = "logs",
                                  .now_ns = suite_time_ns};
    sl_sigv4_scope scopes[] = {first, first, first, first, first, first};
    scopes[1].now_ns += 86400 * SL_NS_PER_S;
    scopes[2].region = SL_SPAN("eu-west-2");
    scopes[3].service = "s3";
    scopes[4].credentials = &two;
    sl_sigv4 kept = {.key = {0}};
    for (size_t i = 0; i < SL_LEN(scopes); i++) {
        sl_sigv4 anew = {.key = {0}};
        sl_aws_headers a = {.count = 0}, b = {.count = 0};
        sl_span with_kept = sign_once(&kept, &scopes[i], "/", &a),
                with_new = sign_once(&anew, &scopes[i], "/", &b);
        ck_assert_msg(sl_span_is(with_kept, with_new), "scope %zu", i);
        sl_sigv4_release(&anew);
        sl_aws_headers_release(&a);
        sl_aws_headers_release(&b);
    }
    sl_sigv4_release(&kept);
}
END_TEST

START_TEST(sigv4__all_headers_to_send_are_given)
{
    sl_aws_credentials credentials = {.access_key_id = SUITE_ID,
                                      .secret_access_key = SUITE_SECRET,
                                      .session_token = SL_SPAN("AQoDYXdzEPT//////////wEXAMPLE")};
    sl_sigv4_scope scope = {.credentials = &credentials,
                            .region = SL_SPAN("us-east-1"),
                            .host = SL_SPAN("h"),
                            .service = "s3",
                            .s3 = true,
                            .now_ns = suite_time_ns};
    sl_sigv4 sigv4 = {.key = {0}};
    sl_aws_headers out = {.count = 0};
    sign_once(&sigv4, &scope, "/a%20b//c/../d", &out);
    ck_assert_uint_eq(out.count, 4);
    ck_assert_str_eq(out.items[1].name, "X-Amz-Date");
    ck_assert(sl_span_is_cstr(out.items[1].value, "20150830T123600Z"));
    ck_assert_str_eq(out.items[2].name, "X-Amz-Security-Token");
    ck_assert(sl_span_is(out.items[2].value, credentials.session_token));
    ck_assert_str_eq(out.items[3].name, "X-Amz-Content-Sha256");
    ck_assert(sl_span_is_cstr(out.items[3].value,
                              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    ck_assert(
        sl_span_find(out.items[0].value,
                     SL_SPAN("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"),
                     0) < out.items[0].value.len);
    sl_aws_headers_release(&out);
    sl_sigv4_release(&sigv4);
}
END_TEST

static void check_canonical(const char *path, bool s3, const char *wanted_path, const char *wanted_query)
{
    sl_aws_credentials credentials = {.access_key_id = SUITE_ID, .secret_access_key = SUITE_SECRET};
    sl_sigv4_scope scope = {
        .credentials = &credentials, .region = SL_SPAN("r"), .host = SL_SPAN("h"), .service = "s", .s3 = s3};
    sl_aws_request req = {.method = "GET", .path = sl_span_of(path)};
    sl_buf creq = SL_BUF_NONE, names = SL_BUF_NONE, wanted = SL_BUF_NONE;
    sl_sigv4_canonical_request(&scope, &req, &creq, &names);
    sl_buf_printf(&wanted, "GET\n%s\n%s\nhost:h\n", wanted_path, wanted_query);
    ck_assert_msg(sl_span_starts_with(sl_buf_span(&creq), sl_buf_span(&wanted)), "%s: %s", path,
                  sl_buf_cstr(&creq));
    sl_buf_release(&creq);
    sl_buf_release(&names);
    sl_buf_release(&wanted);
}

START_TEST(sigv4__paths_and_queries_have_one_spelling)
{
    check_canonical("", false, "/", "");
    check_canonical("?", false, "/", "");
    check_canonical("/a%20b", false, "/a%2520b", ""); /* encoded for the wire, and once more */
    check_canonical("/a%20b", true, "/a%20b", "");
    check_canonical("//a/./b/../c//", true, "//a/./b/../c//", ""); /* S3: these are names */
    check_canonical("/../../a", false, "/a", "");
    check_canonical("/a/b/..", false, "/a/", "");
    check_canonical("/a/b/../..", false, "/", "");
    check_canonical("/a/b/", false, "/a/b/", "");
    check_canonical("/?b&a=%2f%7E&a=%zz&&a-=1", false, "/", "a=%25zz&a=%2F~&a-=1&b=");
    check_canonical("/?a=1=2&a=+", false, "/", "a=%2B&a=1%3D2");
    check_canonical("/?a=%4", false, "/", "a=%254");
}
END_TEST

/* What botocore 1.43 makes of the same (botocore.auth.SigV4QueryAuth). */
START_TEST(sigv4__signs_a_query_as_aws_does)
{
    const struct {
        sl_span token;
        const char *end;
    } cases[] = {{SL_SPAN_NONE,
                  "host&X-Amz-Signature=9840e18b07246881995c1743ce4b2d796cf642f32d5331612a1c51ea3d62a451"},
                 {SL_SPAN("FwoGZXIvYXdzEXAMPLE/token+with=chars"),
                  "host&X-Amz-Security-Token=FwoGZXIvYXdzEXAMPLE%2Ftoken%2Bwith%3Dchars&X-Amz-Signature="
                  "a811b02c2c05933288ab86c5568745d55ae097cd941b2229dab6ab072a6966a5"}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_aws_credentials credentials = {
            .access_key_id = SUITE_ID, .secret_access_key = SUITE_SECRET, .session_token = cases[i].token};
        sl_sigv4_scope scope = {.credentials = &credentials,
                                .region = SL_SPAN("eu-west-1"),
                                .host = SL_SPAN("kafka.eu-west-1.amazonaws.com"),
                                .service = "kafka-cluster",
                                .now_ns = INT64_C(1714566896) * SL_NS_PER_S};
        sl_sigv4 sigv4 = {.key_of = SL_BUF_NONE};
        sl_buf got = SL_BUF_NONE, wanted = SL_BUF_NONE;
        sl_sigv4_presign(&sigv4, &scope, SL_SPAN("/?Action=kafka-cluster%3AConnect"), 900, &got);
        sl_buf_append_cstr(&wanted, "/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256"
                                    "&X-Amz-Credential=AKIDEXAMPLE%2F20240501%2Feu-west-1%2Fkafka-cluster"
                                    "%2Faws4_request&X-Amz-Date=20240501T123456Z&X-Amz-Expires=900"
                                    "&X-Amz-SignedHeaders=");
        sl_buf_append_cstr(&wanted, cases[i].end);
        ck_assert_str_eq(sl_buf_cstr(&got), sl_buf_cstr(&wanted));
        sl_buf_release(&got);
        sl_buf_release(&wanted);
        sl_sigv4_release(&sigv4);
    }
}
END_TEST

SL_TEST_MAIN("sigv4", sigv4__signs_the_suite_of_aws_as_aws_does, sigv4__signs_the_examples_of_iam_and_s3,
             sigv4__the_key_kept_is_not_used_for_another_day_region_service_or_secret,
             sigv4__all_headers_to_send_are_given, sigv4__signs_a_query_as_aws_does,
             sigv4__paths_and_queries_have_one_spelling)
