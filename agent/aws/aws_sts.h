/* aws_sts.h: requests to the Security Token Service. Its answers are XML (aws_answer.h).
 *
 * Source: AssumeRole and AssumeRoleWithWebIdentity, AWS STS API Reference, version 2011-06-15.
 */
#ifndef SLUICE_AWS_STS_H
#define SLUICE_AWS_STS_H

#include "aws_source.h"

#define SL_AWS_FORM "application/x-www-form-urlencoded" /* the type of ask->want.body */

/* Puts `action` for a role into ask->want, without a signature. 0 or SL_E_CONFIG: the region is not known. */
int sl_aws_sts_request(sl_aws_ask *ask, const char *action, const sl_aws_role *role, sl_err *err);
/* Appends a parameter to its form. */
void sl_aws_sts_parameter(sl_aws_ask *ask, const char *name, sl_span value);

#endif
