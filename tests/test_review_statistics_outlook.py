"""What votes can find out, by arithmetic."""

from runner.review.statistics.outlook import fewest_units, least_share


def test_more_images_show_lesser_preferences():
    found = [least_share(images, 2, 1) for images in (6, 12, 24, 48, 96)]
    assert found[0] is None
    assert found[1:] == sorted(found[1:], reverse=True)
    assert found[2] == 0.82


def test_votes_on_few_images_find_less_than_fewer_votes_on_many():
    assert least_share(12, 6, 1) > least_share(48, 1, 1)


def test_more_arms_ask_for_more():
    assert [fewest_units(pairs) for pairs in (1, 6, 28)] == [9, 12, 15]
    assert least_share(24, 2, 6) > least_share(24, 2, 1)
