/* transport_error.h: what a transfer that failed means, and what a person can do about it. Inside net/ only.
 */
#ifndef SLUICE_TRANSPORT_ERROR_H
#define SLUICE_TRANSPORT_ERROR_H

#include <curl/curl.h>
#include <sluice/http.h>

/* Longest text of sl_transport_error_text(). */
#define SL_TRANSPORT_TEXT_MAX (CURL_ERROR_SIZE + 160)

sl_transport_error sl_transport_error_of(CURL *easy, CURLcode result);
/* curl's words and, where an option may be the cause, which one it is. said: the transfer's
 * CURLOPT_ERRORBUFFER, may be empty. Not for CURLE_OK. */
void sl_transport_error_text(CURL *easy, CURLcode result, const char *said, char out[SL_TRANSPORT_TEXT_MAX]);

#endif
