"""Nine no-op assets in a row, for Dagster."""

import dagster as dg


def asset(number):
    @dg.asset(name=f"noop_{number}", deps=[f"noop_{number - 1}"] if number > 1 else [])
    def noop():
        return None

    return noop


def job():
    assets = [asset(number) for number in range(1, 10)]
    definitions = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("nine", selection="*")])
    return definitions.resolve_job_def("nine")
