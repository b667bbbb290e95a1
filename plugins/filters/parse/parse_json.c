/* parse_json.c: lines and fields that are JSON objects. */
#include "parse_int.h"

static parse_result finish(const parse_conf *conf, sl_batch *batch, sl_record *rec,
                           const sl_parse_result *res)
{
    parse_result result = {.at = res->json.at, .replaced = res->replaced};
    result.reason = res->json.error != SL_JSON_OK ? (int)res->json.error
                    : res->not_object             ? PARSE_NOT_OBJECT
                                                  : 0;
    if (SL_LIKELY(result.reason == 0)) parse_time_apply(&conf->time, batch, rec, &result);
    return result;
}

parse_result parse_json_line(const parse_conf *conf, sl_batch *batch, sl_record *rec)
{
    sl_parse_result res = sl_record_parse_json(batch, rec);
    return finish(conf, batch, rec, &res);
}

parse_result parse_json_field(const parse_conf *conf, sl_batch *batch, sl_record *rec)
{
    sl_parse_result res = {.json = {.error = SL_JSON_EMPTY}};
    sl_record_parse_json_at(batch, rec, conf->field, &res);
    return finish(conf, batch, rec, &res);
}
