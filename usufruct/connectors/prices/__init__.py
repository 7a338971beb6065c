"""Prices, market caps and volumes of assets: their sources, their archive, and the panel that reads them."""

from usufruct.connectors.prices.panel import STABLECOIN, WRAPPED, Asset, Matrix, Panel

__all__ = ["STABLECOIN", "WRAPPED", "Asset", "Matrix", "Panel"]
