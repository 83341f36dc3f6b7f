"""The ledger of ETF shares: the identity, the table of signs, published sizes, delays."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from attribution.errors import DataError
from attribution.mechanics.basis import unwind
from attribution.mechanics.creation import (
    MECHANISMS,
    Ledger,
    baskets,
    booked,
    creation_pressure,
    operational_shorts,
)

SIGNS = {
    # longs of clients, inventory of participants, shorts; shares created
    "client_buying": (1, 0, 0, 1),
    "client_selling": (-1, 0, 0, -1),
    "absorbed_selling": (-1, 1, 0, 0),
    "dealer_shorting": (1, 0, 1, 0),
    "create_to_lend": (1, 1, 1, 1),
    "operational_shorting": (1, 0, 1, 0),
    "operational_cover": (0, 0, -1, 1),
    "participant_arbitrage": (0, 1, 0, 1),
    "in_kind_exchange": (1, 0, 0, 1),
}


def test_the_table_of_signs():
    assert {name: (*entry, entry.created) for name, entry in MECHANISMS.items()} == SIGNS


@pytest.mark.parametrize("name", MECHANISMS)
def test_shares_created_are_longs_and_inventory_less_shorts(name):
    n = np.random.default_rng(1).normal(0, 5, 50)
    one = booked(name, n)
    assert_allclose(one.created, one.clients + one.inventory - one.shorts)
    assert_allclose(one.created, MECHANISMS[name].created * n)
    assert (booked(name, 0.0).created == 0.0).all()
    assert_allclose(booked(name, -n).created, -one.created)


def test_a_short_sale_alone_creates_nothing_however_large():
    assert booked("dealer_shorting", 1e3).created == 0.0
    assert booked("dealer_shorting", 1e3).shorts == 1e3


def test_creating_to_lend_creates_what_is_sold_short():
    # It is participants' creation and a borrowed sale, entry by entry.
    parts = booked("participant_arbitrage", 3.0) + booked("dealer_shorting", 3.0)
    whole = booked("create_to_lend", 3.0)
    assert (parts.clients, parts.inventory, parts.shorts) == (
        whole.clients, whole.inventory, whole.shorts,
    )  # fmt: skip


def test_a_delayed_creation_ends_where_a_prompt_one_does():
    late = booked("operational_shorting", 6.0) + booked("operational_cover", 6.0)
    prompt = booked("client_buying", 6.0)
    assert (late.clients, late.inventory, late.shorts) == (
        prompt.clients, prompt.inventory, prompt.shorts,
    )  # fmt: skip
    assert booked("operational_shorting", 6.0).created == 0.0


def test_closing_a_basis_trade_books_what_it_redeems():
    closed = unwind(1000.0, 0.0, 0.0, 1.0, 0.4, 38.5)
    sold = 1000.0 / 38.5
    ledger = booked("client_selling", 0.4 * sold) + booked("absorbed_selling", 0.6 * sold)
    assert_allclose(ledger.created, closed.shares)
    assert_allclose(ledger.clients, -sold)


def test_published_sizes_of_the_day():
    six = booked("client_buying", 6.0)
    assert baskets(six.created, 40_000.0) == 150.0
    assert_allclose(100 * six.created / 1300.0, 0.46, atol=0.005)
    assert six.net_creation(38.5) > 230.0


def test_the_order_of_a_ledger_does_not_matter():
    books = [booked(name, k + 1.0) for k, name in enumerate(MECHANISMS)]
    total, turned = books[0], books[-1]
    for book in books[1:]:
        total = total + book
    for book in books[-2::-1]:
        turned = turned + book
    assert isinstance(total, Ledger)
    assert_allclose(total.created, turned.created)
    assert_allclose(total.created, sum(book.created for book in books))


def test_a_premium_beyond_cost_creates_and_a_discount_redeems():
    price = np.array([38.6, 38.505, 38.495, 38.4])
    assert creation_pressure(price, 38.5, 0.001).tolist() == [1.0, 0.0, 0.0, -1.0]


def test_operational_shorts_are_purchases_not_yet_delivered():
    bought = np.array([5.0, 0.0, 0.0, -2.0, 0.0])
    created = np.array([0.0, 3.0, 2.0, 0.0, -2.0])
    found = operational_shorts(bought, created, 100.0, 2)
    assert_allclose(found, [0.02, 0.0, 0.0, 0.0])
    assert_allclose(operational_shorts(bought, created, 100.0, 1), [0.05, 0, 0, 0, 0.02])
    whole = operational_shorts(np.stack([bought, 2 * bought]), created, np.full(5, 100.0), 5)
    assert_allclose(whole, [[0.0], [0.03]])
    # The unit of shares cancels.
    assert_allclose(operational_shorts(1e6 * bought, 1e6 * created, 1e8, 2), found)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: booked("create_to_lent", 1.0), "nearest: 'create_to_lend'"),
        (lambda: booked("client_buying", np.inf), "shares is inf"),
        (lambda: booked("client_buying", 1.0).net_creation(0.0), "nav is 0.0"),
        (lambda: baskets(1.0, 0.0), "a basket of 0.0 shares"),
        (lambda: creation_pressure(38.5, 38.5, -0.1), "cost is below zero"),
        (lambda: operational_shorts([1.0, 2.0], [0.0, 0.0], 10.0, 3), "3 days asked of 2"),
        (lambda: operational_shorts([1.0, 2.0], [0.0, 0.0], 10.0, 0), "0 days asked of 2"),
    ],
)
def test_bad_entries_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)
