using System.Globalization;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Which policy, and its numbers, as <c>--policy</c> and the bundle write them: <c>NAME</c>, <c>NAME:NUMBER</c> for its main number, or
/// <c>NAME:KEY=NUMBER,KEY=NUMBER</c>.
/// <list type="table">
/// <item><term><c>wait-k:3,stride=1</c></term><description><see cref="WaitKPolicy"/> in source words</description></item>
/// <item>
/// <term><c>wait-k-chunks:3,stride=1,seconds=0.5</c></term><description><see cref="WaitKPolicy"/> in stretches of audio</description>
/// </item>
/// <item><term><c>local-agreement:2</c></term><description><see cref="LocalAgreementPolicy"/></description></item>
/// <item><term><c>hold-n:3</c></term><description><see cref="HoldPolicy"/></description></item>
/// <item>
/// <term><c>alignatt:frames=8</c>, <c>alignatt:frames=8,mass=0.3</c></term><description><see cref="AttentionPolicy"/></description>
/// </item>
/// <item><term><c>retranslate:mask=4</c></term><description><see cref="RetranslationPolicy"/></description></item>
/// </list>
/// </summary>
public sealed class PolicyOptions
{
    private static readonly Kind[] s_kinds =
    [
        new("wait-k", [("k", 1, 1000, 3), ("stride", 1, 1000, 1)],
            (own, tokenizer) => new WaitKPolicy(tokenizer, own.Whole("k"), own.Whole("stride"))),
        new("wait-k-chunks", [("k", 1, 1000, 3), ("stride", 1, 1000, 1), ("seconds", 0.02, 60, 0.5)],
            (own, tokenizer) => new WaitKPolicy(tokenizer, own.Whole("k"), own.Whole("stride"), own._numbers["seconds"])),
        new("local-agreement", [("n", 2, 16, 2)], (own, _) => new LocalAgreementPolicy(own.Whole("n"))),
        new("hold-n", [("n", 0, 1000, 3)], (own, _) => new HoldPolicy(own.Whole("n"))),
        new("alignatt", [("frames", 1, 10000, 8), ("mass", 0.001, 1, null)],
            (own, _) => new AttentionPolicy(own.Whole("frames"), own._numbers.TryGetValue("mass", out double mass) ? mass : null),
            NeedsAttention: true),
        new("retranslate", [("mask", 0, 1000, 4)], (own, _) => new RetranslationPolicy(own.Whole("mask"))),
    ];

    private const NumberStyles Decimals =
        NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;

    private readonly Kind _kind;
    private readonly Dictionary<string, double> _numbers;

    private PolicyOptions(Kind kind, Dictionary<string, double> numbers) => (_kind, _numbers) = (kind, numbers);

    /// <summary>Names of all policies.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. s_kinds.Select(kind => kind.Name)];

    /// <summary>Name of the policy.</summary>
    public string Name => _kind.Name;

    /// <summary>Whether the policy needs to know where the decoder looks.</summary>
    public bool NeedsAttention => _kind.NeedsAttention;

    /// <summary>Reads the text of <c>--policy</c>.</summary>
    /// <exception cref="OmniFusionException">There is no such policy, or a number of it is none or out of its bounds.</exception>
    public static PolicyOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':', 2);
        string name = parts[0].Trim();
        Kind kind = s_kinds.FirstOrDefault(known => known.Name == name)
            ?? throw new OmniFusionException($"'{name}' is not a policy; known are {string.Join(", ", Names)}.");
        (string Key, double Least, double Most, double? Default)[] keys = kind.Numbers;
        Dictionary<string, double> numbers = [];
        foreach (string setting in parts.Length == 1 ? [] : parts[1].Split(','))
        {
            string[] pair = setting.Split('=', 2);
            string key = pair.Length == 1 ? keys[0].Key : pair[0].Trim();
            (string Key, double Least, double Most, double? Default) bounds = keys.FirstOrDefault(known => known.Key == key);
            if (bounds.Key is null)
                throw new OmniFusionException(
                    $"The policy {name} has no '{key}' in '{text}', only {string.Join(", ", keys.Select(known => known.Key))}.");
            bool whole = double.IsInteger(bounds.Least);
            if (!double.TryParse(pair[^1], Decimals, CultureInfo.InvariantCulture, out double number)
                || !(number >= bounds.Least && number <= bounds.Most) || (whole && !double.IsInteger(number)))
                throw new OmniFusionException(string.Create(CultureInfo.InvariantCulture,
                    $"The policy {name} takes as {key} a {(whole ? "whole " : "")}number from {bounds.Least} to {bounds.Most}, ")
                    + $"not '{pair[^1]}'.");
            if (!numbers.TryAdd(key, number))
                throw new OmniFusionException($"The policy '{text}' gives {key} twice.");
        }
        foreach ((string key, _, _, double? missing) in keys)
            if (missing is { } number)
                numbers.TryAdd(key, number);
        return new PolicyOptions(kind, numbers);
    }

    /// <summary>Makes a policy for one text.</summary>
    /// <param name="tokenizer">Of the decoder whose hypotheses it sees.</param>
    public Policy Create(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return _kind.Create(this, tokenizer);
    }

    /// <summary>The text that <see cref="Parse"/> reads, with every number.</summary>
    public override string ToString() => $"{Name}:{string.Join(',',
        _kind.Numbers.Where(known => _numbers.ContainsKey(known.Key))
            .Select(known => string.Create(CultureInfo.InvariantCulture, $"{known.Key}={_numbers[known.Key]}")))}";

    private int Whole(string key) => (int)_numbers[key];

    /// <summary>A policy that can be named.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Numbers">Key, smallest, largest, default; the first is the main one.</param>
    /// <param name="Create">Makes it with the numbers given, for hypotheses of a tokenizer.</param>
    /// <param name="NeedsAttention">Whether it needs to know where the decoder looks.</param>
    private sealed record Kind(string Name, (string Key, double Least, double Most, double? Default)[] Numbers,
        Func<PolicyOptions, Tokenizer, Policy> Create, bool NeedsAttention = false);
}
