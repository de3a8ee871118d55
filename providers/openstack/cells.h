/*
 * Cells: whether Nova tells of all servers.
 *
 * Nova keeps servers in cells. A list with a filter or a limit leaves out cells that are down, and
 * is a success: their servers look gone. Only a list with neither shows that there are some, from
 * microversion 2.69 on.
 */
#ifndef TT_OPENSTACK_CELLS_H
#define TT_OPENSTACK_CELLS_H

#include "providers/openstack/cloud.h"

/* All servers of the project by one answer, as PATH ("/servers/detail") shows them. RET_WHOLE: they
 * are all; else there are too many for one, or Nova is too old to tell. Errors: UNAVAILABLE (a cell
 * is down). */
int tt_openstack_list_at_once(const struct tt_openstack_visit *visit, const char *path,
                              json_t **ret_items, bool *ret_whole, struct tt_error *err);

/* After a list that had to have a filter or a limit: whether it told of all. Errors: UNAVAILABLE
 * (a cell is down). */
int tt_openstack_check_cells(const struct tt_openstack_visit *visit, struct tt_error *err);

#endif
