/* aws_options.c: the options that every output for AWS shares. */
#include "net/url.h"
#include <sluice/aws.h>

#define NO_LOGIN "AWS takes signatures only"

static const char *const source_names[] = {"auto", "options", "environment", NULL};

const sl_option sl_aws_options[] = {
    {"region", SL_OPT_STRING, offsetof(sl_aws_conf, region),
     .help = "Region of AWS, `eu-west-1`. Default: `AWS_REGION` or `AWS_DEFAULT_REGION` of the environment."},
    {"endpoint", SL_OPT_STRING, offsetof(sl_aws_conf, endpoint),
     .help = "URL of the service, where it is not AWS's public one: a VPC endpoint, another provider, a "
             "stand-in."},
    {"fips", SL_OPT_BOOL, offsetof(sl_aws_conf, fips), .def = "false",
     .help = "Use the endpoints with cryptography validated after FIPS 140."},
    {"dual_stack", SL_OPT_BOOL, offsetof(sl_aws_conf, dual_stack), .def = "false",
     .help = "Use the endpoints that have IPv6 addresses, too."},
    {"credentials", SL_OPT_ENUM, offsetof(sl_aws_conf, credentials), .def = "auto", .names = source_names,
     .help = "Where credentials come from. `auto` takes the first of the others that is set up, in the order "
             "written here."},
    {"access_key_id", SL_OPT_STRING, offsetof(sl_aws_conf, access_key_id),
     .help = "Access key, for the source `options`."},
    {"secret_access_key", SL_OPT_SECRET, offsetof(sl_aws_conf, secret_access_key),
     .help = "Secret of `access_key_id`."},
    {"session_token", SL_OPT_SECRET, offsetof(sl_aws_conf, session_token),
     .help = "Session token of `access_key_id`, where it is a temporary one."},
    {0}};

/* ---- checks ---- */

static int check_region(const sl_aws_conf *conf, sl_err *err)
{
    if (!conf->region.len) return 0;
    static const sl_aws_service any = {.name = "any", .host = "any"};
    sl_buf url = SL_BUF_NONE;
    int rc = sl_aws_endpoint(conf, &any, conf->region, &url, err);
    sl_buf_release(&url);
    return rc < 0 ? sl_err_prefix(err, "option `region`") : 0;
}

static int check_keys(const sl_aws_conf *conf, sl_err *err)
{
    if (conf->credentials == SL_AWS_OPTIONS && !conf->access_key_id.len)
        return sl_err_set(err, SL_E_CONFIG, "option `credentials`: `options` needs `access_key_id`");
    if (conf->access_key_id.len && !conf->secret_access_key.len)
        return sl_err_set(err, SL_E_CONFIG, "option `access_key_id` needs `secret_access_key`");
    if (!conf->access_key_id.len && (conf->secret_access_key.len || conf->session_token.len))
        return sl_err_set(err, SL_E_CONFIG, "option `%s` needs `access_key_id`",
                          conf->secret_access_key.len ? "secret_access_key" : "session_token");
    if (conf->access_key_id.len && conf->credentials > SL_AWS_OPTIONS)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `access_key_id` has no use: `credentials` names another source");
    return 0;
}

int sl_aws_conf_check(const sl_aws_conf *conf, sl_err *err)
{
    int rc = check_region(conf, err);
    if (rc == 0 && conf->endpoint.len) rc = sl_url_check(conf->endpoint, "option `endpoint`", NO_LOGIN, err);
    if (rc == 0) rc = check_keys(conf, err);
    return rc;
}
