namespace OmniFusion.Training;

/// <summary>Ranges of the numbers of a recipe.</summary>
/// <param name="path">The recipe, for messages.</param>
internal sealed class RecipeNumbers(string path)
{
    internal void AboveZero(params (string Key, double Value)[] numbers) => Check(numbers, value => value > 0, "above 0");

    internal void NotBelowZero(params (string Key, double Value)[] numbers) => Check(numbers, value => value >= 0, "a number from 0 up");

    internal void BelowOne(params (string Key, double Value)[] numbers) => Check(numbers, value => value is >= 0 and < 1, "at least 0 and below 1");

    internal void FromZeroToOne(params (string Key, double Value)[] numbers) => Check(numbers, value => value is >= 0 and <= 1, "from 0 to 1");

    private void Check((string Key, double Value)[] numbers, Predicate<double> allowed, string range)
    {
        foreach ((string key, double value) in numbers)
            if (!allowed(value) || double.IsInfinity(value))
                throw new OmniFusionException($"{path}: '{key}' must be {(double.IsInfinity(value) ? "finite" : range)}.");
    }
}
