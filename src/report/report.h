/* report.h -- everything the report room offers: what a run shows while it works and what it leaves
 * behind. */
#ifndef TGI_REPORT_REPORT_H
#define TGI_REPORT_REPORT_H

#include "report/console.h"
#include "report/html.h"
#include "report/log_csv.h"
#include "report/panel.h"
#include "report/run_report.h"
#include "report/svg.h"
#include "report/tensorboard.h"
#include "report/value.h"

#endif
