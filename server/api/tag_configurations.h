/* Private to api/: which tags of a metric Datadog would index, as clients configured it.
 *
 * A configuration is the `attributes` of a `manage_tags` resource: tags, metric_type, created_at, modified_at, and what else was given.
 * Ownership: new references. Errors: NULL or -1 with err.
 */
#ifndef API_TAG_CONFIGURATIONS_H
#define API_TAG_CONFIGURATIONS_H

#include "api/changes.h"
#include "api/names.h"

/* {"METRIC":{"tags":[…],…}} */
json_t *tag_configurations(struct read *r, struct err *err);
/* Whether a tag, `key:value` or `key`, is kept. configuration == NULL: all are. */
bool tag_configuration_keeps(const json_t *configuration, struct span tag);

#endif
