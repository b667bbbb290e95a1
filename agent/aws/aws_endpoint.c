/* aws_endpoint.c: where a service is: https://<service>.<region>.<suffix of the partition>.
 *
 * Which partition a region belongs to shows in its name. Source: the partition and endpoint rules that AWS
 * publishes with its SDKs (botocore 1.43: data/partitions.json, data/{logs,sts,sso}/…/endpoint-rule-set-1.json).
 */
#include <sluice/aws.h>

#define MAX_REGION 63 /* a label of a host name, RFC 1035 */

typedef struct partition {
    const char *regions; /* how their names begin */
    const char *suffix, *dual_stack_suffix;
} partition;

/* The longer beginning first; the last one is everybody else's. */
static const partition partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"", "amazonaws.com", "api.aws"},
};

static const partition *find_partition(sl_span region)
{
    const partition *p = partitions;
    while (!sl_span_starts_with(region, sl_span_of(p->regions)))
        p++;
    return p;
}

/* It becomes part of a host name that credentials are sent to. */
static bool is_region(sl_span region)
{
    bool is = region.len > 0 && region.len <= MAX_REGION && region.ptr[0] != '-' &&
              region.ptr[region.len - 1] != '-';
    for (size_t i = 0; is && i < region.len; i++) {
        char c = region.ptr[i];
        is = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    return is;
}

int sl_aws_endpoint(const sl_aws_conf *conf, const sl_aws_service *service, sl_span region, sl_buf *url,
                    sl_err *err)
{
    if (!is_region(region))
        return sl_err_set(err, SL_E_CONFIG,
                          "\"" SL_SPAN_FMT "\" can be no region of AWS: write it like eu-west-1",
                          (int)sl_span_cut(region, MAX_REGION), region.ptr);
    if (conf->endpoint.len) {
        sl_buf_append_span(url, conf->endpoint);
        while (url->len && url->ptr[url->len - 1] == '/')
            url->len--;
        return 0;
    }
    const partition *p = find_partition(region);
    bool named_plain = service->gov_is_fips && !conf->dual_stack && strcmp(p->regions, "us-gov-") == 0;
    sl_buf_printf(url, "https://%s%s." SL_SPAN_FMT ".%s", service->host,
                  conf->fips && !named_plain ? "-fips" : "", SL_SPAN_ARG(region),
                  conf->dual_stack ? p->dual_stack_suffix : p->suffix);
    return 0;
}
