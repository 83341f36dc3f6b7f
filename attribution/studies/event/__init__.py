"""The structural model of one day: shocks, mechanisms that answer the price, and their loop."""
